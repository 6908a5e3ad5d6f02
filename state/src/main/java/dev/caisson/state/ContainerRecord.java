package dev.caisson.state;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.KernelSetting;
import dev.caisson.cgroup.Pages;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.PlanRecord;
import dev.caisson.launch.Step;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The record of a container on disk. Names of kernel objects are derived from its id.
///
/// @param pid of its process 1, 0 before it has one
/// @param startTime of that process in clock ticks since boot, proc_pid_stat(5): with the pid it names
///     one process
/// @param memoryLimit in bytes, as planned
/// @param pidsLimit processes and threads, as planned
/// @param settings every limit as it was written to the kernel, [dev.caisson.cgroup.KernelSetting]
/// @param unenforced limits that were asked for with best effort and that nothing enforces
/// @param command the beginning of what it runs, for people
/// @param stopSignal asks it to end
/// @param stopMillis how long it has for that before it is killed
/// @param plan what was planned, for a later comparison with the kernel
public record ContainerRecord(
        String id,
        String name,
        String image,
        String cgroupParent,
        long createdMillis,
        int enginePid,
        int pid,
        long startTime,
        long memoryLimit,
        long pidsLimit,
        List<String> settings,
        List<String> unenforced,
        List<String> command,
        Map<String, String> labels,
        int stopSignal,
        long stopMillis,
        PlanRecord plan) {
    private static final JsonStream JSON = JsonStream.builder().build();
    private static final int OWN_PID = (int) ProcessHandle.current().pid();

    /// Makes the record of a container without a process yet.
    public static ContainerRecord announced(
            ContainerId id, String name, ContainerSpec spec, int stopSignal, String cgroupParent, LaunchPlan plan) {
        return new ContainerRecord(
                id.value(),
                name,
                spec.image().toString(),
                cgroupParent,
                System.currentTimeMillis(),
                OWN_PID,
                0,
                0,
                Pages.whole(spec.limits().memory()).count(),
                spec.limits().pids(),
                List.of(),
                List.of(),
                KeptFile.shortened(plan.only(Step.Execute.class).arguments()),
                spec.labels(),
                stopSignal,
                spec.stopTimeout().toMillis(),
                PlanRecord.of(plan));
    }

    public ContainerRecord started(int newPid, long newStartTime, Cgroup group, Limits limits) {
        return with(newPid, newStartTime, group, limits);
    }

    /// Of a container that has a new process 1.
    public ContainerRecord restarted(int newPid, long newStartTime) {
        return new ContainerRecord(
                id,
                name,
                image,
                cgroupParent,
                createdMillis,
                enginePid,
                newPid,
                newStartTime,
                memoryLimit,
                pidsLimit,
                settings,
                unenforced,
                command,
                labels,
                stopSignal,
                stopMillis,
                plan);
    }

    public ContainerRecord renamed(String newName) {
        return new ContainerRecord(
                id,
                newName,
                image,
                cgroupParent,
                createdMillis,
                enginePid,
                pid,
                startTime,
                memoryLimit,
                pidsLimit,
                settings,
                unenforced,
                command,
                labels,
                stopSignal,
                stopMillis,
                plan);
    }

    /// Returns the same for a container whose next start has another plan.
    public ContainerRecord planned(LaunchPlan next) {
        return new ContainerRecord(
                id,
                name,
                image,
                cgroupParent,
                createdMillis,
                enginePid,
                pid,
                startTime,
                memoryLimit,
                pidsLimit,
                settings,
                unenforced,
                command,
                labels,
                stopSignal,
                stopMillis,
                PlanRecord.of(next));
    }

    public ContainerRecord limited(Cgroup group, Limits limits) {
        return with(pid, startTime, group, limits);
    }

    private ContainerRecord with(int newPid, long newStartTime, Cgroup group, Limits limits) {
        return new ContainerRecord(
                id,
                name,
                image,
                cgroupParent,
                createdMillis,
                enginePid,
                newPid,
                newStartTime,
                Pages.whole(limits.memory()).count(),
                limits.pids(),
                group.settings(limits).stream().map(KernelSetting::toString).toList(),
                group.lacks().stream().map(Lack::toString).toList(),
                command,
                labels,
                stopSignal,
                stopMillis,
                plan);
    }

    String toJson() {
        var text = new StringWriter();
        try (JsonWriter out = JSON.writer(text)) {
            out.beginObject();
            text(out, "id", id);
            text(out, "name", name);
            text(out, "image", image);
            text(out, "cgroupParent", cgroupParent);
            number(out, "createdMillis", createdMillis);
            number(out, "enginePid", enginePid);
            number(out, "pid", pid);
            number(out, "startTime", startTime);
            number(out, "memoryLimit", memoryLimit);
            number(out, "pidsLimit", pidsLimit);
            texts(out, "settings", settings);
            texts(out, "unenforced", unenforced);
            texts(out, "command", command);
            texts(out, "labelKeys", List.copyOf(labels.keySet()));
            texts(out, "labelValues", List.copyOf(labels.values()));
            number(out, "stopSignal", stopSignal);
            number(out, "stopMillis", stopMillis);
            number(out, "idBase", plan.idBase());
            texts(out, "namespaces", plan.namespaces());
            number(out, "layers", plan.layers());
            number(out, "writableBytes", plan.bytes());
            number(out, "writableInodes", plan.inodes());
            texts(out, "slots", plan.slots());
            texts(out, "links", plan.links());
            texts(out, "steps", List.of(plan.steps()));
            out.endObject();
        }
        return text.toString();
    }

    private static void text(JsonWriter out, String name, String value) {
        out.name(name);
        out.value(value);
    }

    private static void number(JsonWriter out, String name, long value) {
        out.name(name);
        out.value(value);
    }

    private static void texts(JsonWriter out, String name, List<String> values) {
        out.name(name);
        out.beginArray();
        values.forEach(out::value);
        out.endArray();
    }

    /// Reads a record that this or another engine wrote.
    ///
    /// @throws StateException RECORD_UNREADABLE if it is not a record
    public static ContainerRecord parse(String json) {
        Map<String, String> texts = new HashMap<>();
        Map<String, Long> numbers = new HashMap<>();
        Map<String, List<String>> lists = new HashMap<>();
        try {
            Json.parseObject(json, Json.Limits.DEFAULT).forEach((field, value) -> {
                switch (value) {
                    case String text -> texts.put(field, text);
                    case Long number -> numbers.put(field, number);
                    case List<?> list ->
                        lists.put(field, list.stream().map(String.class::cast).toList());
                    case null, default -> {}
                }
            });
        } catch (MalformedJsonException | ClassCastException e) {
            throw new StateException("RECORD_UNREADABLE", "a container's record is no JSON that Caisson wrote", e);
        }
        return new ContainerRecord(
                need(texts, "id"),
                need(texts, "name"),
                need(texts, "image"),
                need(texts, "cgroupParent"),
                need(numbers, "createdMillis"),
                Math.toIntExact(need(numbers, "enginePid")),
                Math.toIntExact(need(numbers, "pid")),
                need(numbers, "startTime"),
                need(numbers, "memoryLimit"),
                need(numbers, "pidsLimit"),
                lists.getOrDefault("settings", List.of()), // an earlier version did not write these two
                lists.getOrDefault("unenforced", List.of()),
                need(lists, "command"),
                labels(need(lists, "labelKeys"), need(lists, "labelValues")),
                Math.toIntExact(need(numbers, "stopSignal")),
                need(numbers, "stopMillis"),
                new PlanRecord(
                        Math.toIntExact(need(numbers, "idBase")),
                        need(lists, "namespaces"),
                        Math.toIntExact(need(numbers, "layers")),
                        need(numbers, "writableBytes"),
                        need(numbers, "writableInodes"),
                        need(lists, "slots"),
                        lists.getOrDefault("links", List.of()), // an earlier version had none
                        String.join("", need(lists, "steps"))));
    }

    private static Map<String, String> labels(List<String> keys, List<String> values) {
        if (keys.size() != values.size()) {
            throw new StateException("RECORD_UNREADABLE", "a container's record has labels without a value");
        }
        var labels = new LinkedHashMap<String, String>();
        for (int i = 0; i < keys.size(); i++) {
            labels.put(keys.get(i), values.get(i));
        }
        return labels;
    }

    private static <T> T need(Map<String, T> fields, String name) {
        T value = fields.get(name);
        if (value == null) {
            throw new StateException("RECORD_UNREADABLE", "a container's record has no field " + name);
        }
        return value;
    }
}
