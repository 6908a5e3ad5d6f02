package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import java.util.Locale;
import java.util.Optional;

/// The kernel's capabilities, capabilities(7). The ordinal is the number in linux/capability.h.
public enum Capability {
    CHOWN,
    DAC_OVERRIDE,
    DAC_READ_SEARCH,
    FOWNER,
    FSETID,
    KILL,
    SETGID,
    SETUID,
    SETPCAP,
    LINUX_IMMUTABLE,
    NET_BIND_SERVICE,
    NET_BROADCAST,
    NET_ADMIN,
    NET_RAW,
    IPC_LOCK,
    IPC_OWNER,
    SYS_MODULE,
    SYS_RAWIO,
    SYS_CHROOT,
    SYS_PTRACE,
    SYS_PACCT,
    SYS_ADMIN,
    SYS_BOOT,
    SYS_NICE,
    SYS_RESOURCE,
    SYS_TIME,
    SYS_TTY_CONFIG,
    MKNOD,
    LEASE,
    AUDIT_WRITE,
    AUDIT_CONTROL,
    SETFCAP,
    MAC_OVERRIDE,
    MAC_ADMIN,
    SYSLOG,
    WAKE_ALARM,
    BLOCK_SUSPEND,
    AUDIT_READ,
    PERFMON,
    BPF,
    CHECKPOINT_RESTORE;

    /// Its number in linux/capability.h.
    @SuppressWarnings("EnumOrdinal") // the constants stand in the kernel's order, which never changes
    public int number() {
        return ordinal();
    }

    /// Reads `NET_RAW`, `net_raw` or `CAP_NET_RAW`.
    public static Optional<Capability> parse(String text) {
        String name = present(text, "text").regionMatches(true, 0, "CAP_", 0, 4) ? text.substring(4) : text;
        for (Capability capability : values()) {
            // Not toUpperCase: it takes letters of other scripts for ours, as U+0131 for I.
            if (name.equals(capability.name()) || name.equals(capability.name().toLowerCase(Locale.ROOT))) {
                return Optional.of(capability);
            }
        }
        return Optional.empty();
    }

    /// True where a program that has it, even inside a user namespace of its own, reaches kernel code that has often
    /// been the way out of containers, or writes to a volume what counts on the host: SETFCAP.
    /// Adding it needs an explicit allowance.
    public boolean isDangerous() {
        return switch (this) {
            case SYS_ADMIN,
                    NET_ADMIN,
                    SYS_MODULE,
                    SYS_RAWIO,
                    SYS_PTRACE,
                    SYS_BOOT,
                    SYS_TIME,
                    SYS_PACCT,
                    SYS_TTY_CONFIG,
                    DAC_READ_SEARCH,
                    LINUX_IMMUTABLE,
                    MAC_OVERRIDE,
                    MAC_ADMIN,
                    SYSLOG,
                    WAKE_ALARM,
                    BLOCK_SUSPEND,
                    AUDIT_CONTROL,
                    AUDIT_READ,
                    PERFMON,
                    BPF,
                    CHECKPOINT_RESTORE,
                    SYS_RESOURCE,
                    NET_RAW,
                    SETFCAP,
                    MKNOD -> true;
            case CHOWN,
                    DAC_OVERRIDE,
                    FOWNER,
                    FSETID,
                    KILL,
                    SETGID,
                    SETUID,
                    SETPCAP,
                    NET_BIND_SERVICE,
                    NET_BROADCAST,
                    IPC_LOCK,
                    IPC_OWNER,
                    SYS_CHROOT,
                    SYS_NICE,
                    LEASE,
                    AUDIT_WRITE -> false;
        };
    }
}
