package dev.caisson.launch;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import dev.caisson.spec.CapabilitySet;

/// The user and the capabilities of this process, from /proc/self/status, proc(5).
///
/// @param capabilities its effective set
/// @param overHost whether they hold over the host, which those of a user namespace do not
public record Privilege(int effectiveUid, CapabilitySet capabilities, boolean overHost) {
    /// The inode of the first user namespace, a constant of the kernel: PROC_USER_INIT_INO, linux/proc_ns.h.
    private static final long FIRST_USER_NAMESPACE = 0xEFFFFFFDL;

    /// Reads it from the running kernel.
    public static Privilege read() {
        String status = HostFacts.text("/proc/self/status");
        return new Privilege(
                Integer.parseInt(field(status, "Uid:").split("\\s+", -1)[1]),
                new CapabilitySet(Long.parseUnsignedLong(field(status, "CapEff:"), 16) & CapabilitySet.ALL.mask()),
                isFirstUserNamespace());
    }

    private static boolean isFirstUserNamespace() {
        try (Fd namespace = FileSystem.open("/proc/self/ns/user", FileSystem.O_RDONLY)) {
            return FileSystem.status(namespace).inode() == FIRST_USER_NAMESPACE;
        }
    }

    private static String field(String status, String name) {
        return KernelText.lines(status)
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).strip())
                .findFirst()
                .orElseThrow(() -> new HostException("PROC_UNREADABLE", "/proc/self/status has no line " + name));
    }
}
