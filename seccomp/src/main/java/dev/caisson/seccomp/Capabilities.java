package dev.caisson.seccomp;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// The names of capabilities(7), at the index of their bit.
final class Capabilities {
    private static final List<String> NAMES = List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_DAC_READ_SEARCH",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_KILL",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETPCAP",
            "CAP_LINUX_IMMUTABLE",
            "CAP_NET_BIND_SERVICE",
            "CAP_NET_BROADCAST",
            "CAP_NET_ADMIN",
            "CAP_NET_RAW",
            "CAP_IPC_LOCK",
            "CAP_IPC_OWNER",
            "CAP_SYS_MODULE",
            "CAP_SYS_RAWIO",
            "CAP_SYS_CHROOT",
            "CAP_SYS_PTRACE",
            "CAP_SYS_PACCT",
            "CAP_SYS_ADMIN",
            "CAP_SYS_BOOT",
            "CAP_SYS_NICE",
            "CAP_SYS_RESOURCE",
            "CAP_SYS_TIME",
            "CAP_SYS_TTY_CONFIG",
            "CAP_MKNOD",
            "CAP_LEASE",
            "CAP_AUDIT_WRITE",
            "CAP_AUDIT_CONTROL",
            "CAP_SETFCAP",
            "CAP_MAC_OVERRIDE",
            "CAP_MAC_ADMIN",
            "CAP_SYSLOG",
            "CAP_WAKE_ALARM",
            "CAP_BLOCK_SUSPEND",
            "CAP_AUDIT_READ",
            "CAP_PERFMON",
            "CAP_BPF",
            "CAP_CHECKPOINT_RESTORE");

    private Capabilities() {}

    /// The bits of names.
    /// @throws SeccompException UNKNOWN_CAPABILITY
    static long mask(Set<String> names) {
        long mask = 0;
        for (String name : new TreeSet<>(names)) {
            int bit = NAMES.indexOf(name);
            if (bit < 0) {
                throw new SeccompException(
                        SeccompException.Code.UNKNOWN_CAPABILITY,
                        "\"" + name + "\" is no capability; write it as capabilities(7) does, CAP_SYS_ADMIN");
            }
            mask |= 1L << bit;
        }
        return mask;
    }

    /// A mask without the bits above the last known one, of a newer kernel.
    static long known(long mask) {
        return mask & ((1L << NAMES.size()) - 1);
    }

    /// The names of a mask's bits.
    static Set<String> ofMask(long mask) {
        var names = new TreeSet<String>();
        for (int bit = 0; bit < NAMES.size(); bit++) {
            if (((mask >>> bit) & 1) != 0) {
                names.add(NAMES.get(bit));
            }
        }
        return names;
    }
}
