package dev.caisson.launch;

import dev.caisson.spec.InRootPath;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Kernel settings that belong to a container's own namespaces; all others would change the host.
final class Sysctls {
    private static final Pattern NAME = Pattern.compile("[a-z0-9_]+([./][a-zA-Z0-9_-]+)+");
    private static final int MAX_VALUE = 1024;
    /// ipc_namespaces(7) and mq_overview(7).
    private static final Set<String> IPC = Set.of(
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
            "kernel.shm_rmid_forced");

    private Sysctls() {}

    /// Returns why a setting is refused. A value is one line of printable text, so that no second setting can be
    /// smuggled in (CVE-2022-0811).
    static Optional<String> refusal(String name, String value) {
        if (!NAME.matcher(name).matches()) {
            return Optional.of("a sysctl has a name like net.ipv4.ip_forward");
        }
        if (value.isEmpty()
                || value.length() > MAX_VALUE
                || value.chars().anyMatch(c -> (c < ' ' && c != '\t') || c > '~')) {
            return Optional.of("the value of " + name + " is one line of printable characters");
        }
        String dotted = name.replace('/', '.');
        boolean namespaced = isOfIpc(name) || dotted.startsWith("net.");
        if (!namespaced) {
            return Optional.of(
                    dotted
                            + " belongs to the host, not to the container: only net.*, fs.mqueue.* and kernel.{msg*,sem,shm*} can be set");
        }
        return Optional.empty();
    }

    /// True for a setting of the IPC namespace, however it is spelled.
    static boolean isOfIpc(String name) {
        String dotted = name.replace('/', '.');
        return IPC.contains(dotted) || dotted.startsWith("fs.mqueue.");
    }

    /// Its path below /proc/sys.
    static InRootPath path(String name) {
        return InRootPath.of(name.indexOf('/') >= 0 ? name : name.replace('.', '/'));
    }
}
