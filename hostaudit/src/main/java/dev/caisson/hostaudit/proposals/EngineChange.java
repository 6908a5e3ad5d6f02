package dev.caisson.hostaudit.proposals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A change of `daemon.json` that a failed check of the engine asks for.
///
/// @param settings the names that decide, as `daemon.json` has them
/// @param apply changes the parsed file
record EngineChange(String check, List<String> settings, Consumer<Map<String, @Nullable Object>> apply) {
    static final List<EngineChange> ALL = List.of(
            set("icc-on", "icc", false),
            remove("log-level", "log-level", "debug"),
            remove("iptables-off", "iptables"),
            new EngineChange("api-tcp-open", List.of("hosts"), EngineChange::withoutTcp),
            set("ulimits-default", "default-ulimits", openFiles()),
            set("no-new-privileges-default-off", "no-new-privileges", true),
            set("live-restore-off", "live-restore", true),
            set("userland-proxy-on", "userland-proxy", false),
            remove("seccomp-profile-default", "seccomp-profile"),
            remove("experimental-on", "experimental"));

    private static EngineChange set(String check, String name, Object value) {
        return new EngineChange(check, List.of(name), file -> file.put(name, value));
    }

    private static EngineChange remove(String check, String... names) {
        return new EngineChange(check, List.of(names), file -> List.of(names).forEach(file::remove));
    }

    private static Map<String, Object> openFiles() {
        return Map.of("nofile", Map.of("Name", "nofile", "Soft", 1024L, "Hard", 4096L));
    }

    /// True if a flag can stay on the command line.
    boolean keeps(String name, String value) {
        if (!settings.contains(name)) {
            return true;
        }
        return name.equals("hosts") && !value.startsWith("tcp://");
    }

    private static void withoutTcp(Map<String, @Nullable Object> file) {
        Object hosts = file.get("hosts");
        if (hosts instanceof List<?> all) {
            List<Object> left = new ArrayList<>(all);
            left.removeIf(host -> String.valueOf(host).startsWith("tcp://"));
            if (left.isEmpty()) {
                file.remove("hosts");
            } else {
                file.put("hosts", left);
            }
        }
    }
}
