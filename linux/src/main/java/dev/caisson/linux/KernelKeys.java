package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;

/// Keys of type `user` in the keyring of this process's user (keyrings(7)): kernel memory that is never
/// swapped, that no file shows, and that the kernel clears when a key is removed, expires, or the host
/// restarts. They outlive the process; every process of the same user, in the same user namespace, can
/// read them.
public final class KernelKeys {
    /// Largest content in bytes here; the kernel's own bound is 32,767.
    public static final int MOST_BYTES = 4096;

    private static final int USER_KEYRING = -4;
    private static final int SET_PERMISSIONS = 5;
    private static final int SEARCH = 10;
    private static final int READ = 11;
    private static final int SET_TIMEOUT = 15;
    private static final int INVALIDATE = 21;
    /// All rights for its user, none for a group or others (keyctl_setperm(3)).
    private static final long OWN_USER = 0x003f0000;

    private KernelKeys() {}

    /// Adds a key, or replaces the content of the one with the same description.
    ///
    /// @param lifetime after which the kernel removes it; until the host restarts if empty
    public static void add(String description, byte[] content, Optional<Duration> lifetime) {
        if (content.length < 1 || content.length > MOST_BYTES) {
            throw new IllegalArgumentException("a key has 1 to " + MOST_BYTES + " bytes, not " + content.length);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(content.length);
            try {
                MemorySegment.copy(content, 0, copy, JAVA_BYTE, 0, content.length);
                long type = Native.string(arena, "user").address();
                long name = Native.string(arena, description).address();
                long key = Native.check(
                        "add_key", Native.raw(Nr.ADD_KEY, type, name, copy.address(), content.length, USER_KEYRING, 0));
                try {
                    control("keyctl setperm", SET_PERMISSIONS, key, OWN_USER);
                    if (lifetime.isPresent()) {
                        control("keyctl set_timeout", SET_TIMEOUT, key, seconds(lifetime.get()));
                    }
                } catch (RuntimeException e) {
                    Native.raw(Nr.KEYCTL, INVALIDATE, key);
                    throw e;
                }
            } finally {
                copy.fill((byte) 0);
            }
        }
    }

    private static long seconds(Duration lifetime) {
        return Math.clamp(lifetime.toSeconds(), 1, Integer.MAX_VALUE);
    }

    private static void control(String call, int operation, long key, long value) {
        Native.check(call, Native.raw(Nr.KEYCTL, operation, key, value));
    }

    /// Returns the content of a key, which the caller clears; empty if there is none, or it has expired.
    public static Optional<byte[]> read(String description) {
        Optional<Long> key = find(description);
        if (key.isEmpty()) {
            return Optional.empty();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = arena.allocate(MOST_BYTES);
            try {
                long size = Native.raw(Nr.KEYCTL, READ, key.get(), content.address(), MOST_BYTES);
                if (size < 1 || size > MOST_BYTES) {
                    return Optional.empty(); // it expired meanwhile, or is another program's
                }
                return Optional.of(content.asSlice(0, size).toArray(JAVA_BYTE));
            } finally {
                content.fill((byte) 0);
            }
        }
    }

    /// Removes a key, at once for everybody who has found it before.
    /// @return false if there was none
    public static boolean remove(String description) {
        Optional<Long> key = find(description);
        key.ifPresent(serial -> Native.check("keyctl invalidate", Native.raw(Nr.KEYCTL, INVALIDATE, serial)));
        return key.isPresent();
    }

    private static Optional<Long> find(String description) {
        try (Arena arena = Arena.ofConfined()) {
            long found = Native.raw(
                    Nr.KEYCTL,
                    SEARCH,
                    USER_KEYRING,
                    Native.string(arena, "user").address(),
                    Native.string(arena, description).address());
            return found > 0 ? Optional.of(found) : Optional.empty();
        }
    }
}
