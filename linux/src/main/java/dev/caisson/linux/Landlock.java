package dev.caisson.linux;

/// Asks for the kernel's version of Landlock, landlock(7).
public final class Landlock {
    private static final long LANDLOCK_CREATE_RULESET_VERSION = 1;

    private Landlock() {}

    /// The ABI version, 0 where the kernel has no Landlock or it is switched off.
    public static int abi() {
        long version = Native.raw(Nr.LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
        if (version == -Errno.ENOSYS || version == -Errno.EOPNOTSUPP) {
            return 0;
        }
        return (int) Native.check("landlock_create_ruleset", version);
    }
}
