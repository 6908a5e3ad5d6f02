package dev.caisson.spec;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/// The fields of a spec by name, by which specs are compared and shown.
final class SpecFields {
    private SpecFields() {}

    static Map<String, Object> of(ContainerSpec spec) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("image", spec.image());
        fields.put("command", spec.command());
        fields.put("entrypoint", spec.entrypoint());
        fields.put("environment", spec.environment());
        fields.put("workingDirectory", spec.workingDirectory());
        fields.put("user", spec.user());
        fields.put("addedGroups", spec.addedGroups());
        fields.put("hostName", spec.hostName());
        fields.put("name", spec.name());
        fields.put("limits", spec.limits());
        fields.put("placement", spec.placement());
        fields.put("writableLayer", spec.writableLayer());
        fields.put("network", spec.network());
        fields.put("mounts", spec.mounts());
        fields.put("devices", spec.devices());
        fields.put("readOnlyRoot", spec.readOnlyRoot());
        fields.put("privileged", spec.privileged());
        fields.put("addedCapabilities", spec.addedCapabilities());
        fields.put("droppedCapabilities", spec.droppedCapabilities());
        fields.put("newPrivileges", spec.newPrivileges());
        fields.put("seccomp", spec.seccomp());
        fields.put("sysctls", spec.sysctls());
        fields.put("rlimits", spec.rlimits());
        fields.put("terminal", spec.terminal());
        fields.put("interactive", spec.interactive());
        fields.put("init", spec.init());
        fields.put("oomScoreAdjustment", spec.oomScoreAdjustment());
        fields.put("wallClock", spec.wallClock());
        fields.put("cpuTime", spec.cpuTime());
        fields.put("outputLimit", spec.outputLimit());
        fields.put("sharedMemory", spec.sharedMemory());
        fields.put("allowances", spec.allowances());
        fields.put("sharedNamespaces", spec.sharedNamespaces());
        fields.put("labels", spec.labels());
        fields.put("stopSignal", spec.stopSignal());
        fields.put("stopTimeout", spec.stopTimeout());
        return fields;
    }

    /// Returns what differs from a spec of the same image with nothing set; variables by name only.
    static String text(ContainerSpec spec) {
        Map<String, Object> defaults = of(ContainerSpec.of(spec.image()));
        return of(spec).entrySet().stream()
                .filter(field ->
                        field.getKey().equals("image") || !field.getValue().equals(defaults.get(field.getKey())))
                .map(field -> field.getKey() + "=" + shown(field))
                .collect(Collectors.joining(", ", "ContainerSpec[", "]"));
    }

    private static Object shown(Map.Entry<String, Object> field) {
        return field.getKey().equals("environment") && field.getValue() instanceof Map<?, ?> variables
                ? variables.keySet()
                : field.getValue();
    }
}
