package dev.caisson.linux;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Tells whether the JVM lets this room call native code, JEP 472.
public final class NativeAccess {
    private static volatile boolean used;

    private NativeAccess() {}

    static void use() {
        used = true;
    }

    static boolean isUsed() {
        return used;
    }

    /// Returns the JVM option that is missing, or empty if native code may be called.
    @SuppressWarnings("restricted") // this call finds out
    public static Optional<String> missingOption() {
        try {
            MemorySegment.NULL.reinterpret(0); // restricted as all native calls are, and does nothing
            return Optional.empty();
        } catch (IllegalCallerException e) {
            Module here = NativeAccess.class.getModule();
            return Optional.of("--enable-native-access=" + (here.isNamed() ? here.getName() : "ALL-UNNAMED"));
        }
    }
}
