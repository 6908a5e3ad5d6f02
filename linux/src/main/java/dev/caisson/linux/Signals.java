package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeSet;

/// Signals that are blocked in this process, read from a descriptor: signalfd(2), sigprocmask(2). They must be blocked
/// before the JVM starts: its own threads inherit the mask.
public final class Signals implements AutoCloseable {
    private static final int SIG_UNBLOCK = 1;
    private static final int SFD_CLOEXEC = 02000000;
    private static final int SET_BYTES = 8;
    private static final int INFO_BYTES = 128;

    private final Fd descriptor;

    private Signals(Fd descriptor) {
        this.descriptor = descriptor;
    }

    /// Signals that the calling thread blocks.
    public static Set<Integer> blocked() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(SET_BYTES, 8);
            Native.check("rt_sigprocmask", Native.raw(Nr.RT_SIGPROCMASK, 0, 0, mask.address(), SET_BYTES));
            var numbers = new TreeSet<Integer>();
            for (int number = 1; number <= Long.SIZE; number++) {
                if ((mask.get(JAVA_LONG, 0) >>> (number - 1) & 1) == 1) {
                    numbers.add(number);
                }
            }
            return numbers;
        }
    }

    /// Lets the calling thread be interrupted by signals again: one that is pending is delivered before this returns.
    public static void unblock(Set<Integer> numbers) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = mask(arena, numbers);
            Native.check("rt_sigprocmask", Native.raw(Nr.RT_SIGPROCMASK, SIG_UNBLOCK, mask.address(), 0, SET_BYTES));
        }
    }

    /// Opens a descriptor for signals that are blocked.
    public static Signals open(Set<Integer> numbers) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = mask(arena, numbers);
            return new Signals(
                    Fd.of("signalfd4", Native.raw(Nr.SIGNALFD4, -1, mask.address(), SET_BYTES, SFD_CLOEXEC)));
        }
    }

    private static MemorySegment mask(Arena arena, Set<Integer> numbers) {
        MemorySegment mask = arena.allocate(SET_BYTES, 8);
        mask.set(
                JAVA_LONG,
                0,
                numbers.stream().mapToLong(number -> 1L << (number - 1)).reduce(0, (a, b) -> a | b));
        return mask;
    }

    /// Waits for the next signal and returns its number.
    public int await() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(INFO_BYTES, 8);
            long count;
            do {
                count = Native.raw(Nr.READ, descriptor.number(), info.address(), INFO_BYTES);
            } while (count == -Errno.EINTR);
            Native.check("read signalfd", count);
            return info.get(JAVA_INT, 0);
        }
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
