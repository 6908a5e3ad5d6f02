package dev.caisson.cli.caller;

import dev.caisson.linux.ByteText;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Variables and directory of programs that run for the command of a served caller, as credential helpers.
///
/// @param variables the caller's, without those that the launcher takes away from a JVM and what it starts, and
///     without those that are not UTF-8, which a JVM cannot hand on
/// @param directory absolute
public record CallerPrograms(Map<String, String> variables, Path directory) {
    /// `clear_environment` of tools/environment.bash.
    private static final Set<String> CLEARED = Set.of(
            "JDK_JAVA_OPTIONS",
            "JAVA_TOOL_OPTIONS",
            "JDK_AOT_VM_OPTIONS",
            "JDK_ALTERNATE_VM",
            "CLASSPATH",
            "GCONV_PATH",
            "GETCONF_DIR",
            "GLIBC_TUNABLES",
            "HOSTALIASES",
            "LOCALDOMAIN",
            "LOCPATH",
            "NIS_PATH",
            "NLSPATH",
            "RESOLV_HOST_CONF",
            "RES_OPTIONS",
            "TZDIR");

    private static final List<String> CLEARED_STARTS = List.of("_J", "LD_", "MALLOC_", "CAISSON_CALLER_");

    static CallerPrograms of(Map<String, String> variables, Path directory) {
        var kept = new TreeMap<String, String>();
        variables.forEach((name, value) -> {
            boolean isCleared =
                    CLEARED.contains(name) || CLEARED_STARTS.stream().anyMatch(name::startsWith);
            if (!isCleared && ByteText.isUtf8(name) && ByteText.isUtf8(value)) {
                kept.put(name, value);
            }
        });
        return new CallerPrograms(kept, directory);
    }
}
