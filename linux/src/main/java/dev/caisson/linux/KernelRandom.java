package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Random bytes of the kernel: getrandom(2). They are what `SecureRandom` is seeded from, without the security
/// providers that it loads first.
public final class KernelRandom {
    /// Up to so many come whole, getrandom(2), and a signal does not cut them short.
    private static final int WHOLE = 256;

    private KernelRandom() {}

    /// Returns `count` cryptographically secure random bytes.
    ///
    /// @param count 1–256
    public static byte[] bytes(int count) {
        if (count < 1 || count > WHOLE) {
            throw new IllegalArgumentException("1 to " + WHOLE + " random bytes at a time, not " + count);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(count);
            long got;
            do {
                got = Native.raw(Nr.GETRANDOM, bytes.address(), count, 0);
            } while (got == -Errno.EINTR);
            if (Native.check("getrandom", got) != count) {
                throw new IllegalStateException("getrandom gave " + got + " of " + count + " bytes");
            }
            return bytes.toArray(JAVA_BYTE);
        }
    }
}
