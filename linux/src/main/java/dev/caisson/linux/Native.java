package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// The one door to the kernel: syscall(2) with errno captured, retried on EINTR where the caller says that it is safe.
@SuppressWarnings("restricted") // this class is the place that --enable-native-access names
final class Native {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO = offset(CALL_STATE, "errno");
    /// Holds the kernel's answer to a thread's latest call: one segment for each thread, not for each call.
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CALL_STATE));
    private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
    /// One shape for every function that is called: the JVM makes code for each shape at each start, and registers that
    /// a function does not read hurt nobody in the calling conventions of x86_64 and aarch64.
    private static final MethodHandle CALL = LINKER.downcallHandle(
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            CAPTURE_ERRNO);
    private static final MemorySegment SYSCALL = function("syscall");
    private static final MemorySegment STRERROR = function("strerror");
    private static final long LONGEST_WORDS = 256;

    static {
        NativeAccess.use();
    }

    private Native() {}

    static MemorySegment function(String name) {
        return LINKER.defaultLookup().findOrThrow(name);
    }

    static Optional<MemorySegment> find(String name) {
        return LINKER.defaultLookup().find(name);
    }

    /// Calls a libc function of at most six arguments, each an integer or an address, whose result is an error
    /// number, as posix_spawn(3).
    static int call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
        try {
            return (int) (long) CALL.invokeExact(function, STATE.get(), a, b, c, d, e, f, 0L);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Returns the C library's words for an error number, strerror(3), which the JDK's own exceptions have too.
    static String words(int errno) {
        try {
            long text = (long) CALL.invokeExact(STRERROR, STATE.get(), (long) errno, 0L, 0L, 0L, 0L, 0L, 0L);
            return MemorySegment.ofAddress(text).reinterpret(LONGEST_WORDS).getString(0);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Calls `number` and returns its result, or the negated error number.
    static long raw(long number, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = STATE.get();
        try {
            long result = (long) CALL.invokeExact(SYSCALL, state, number, a, b, c, d, e, f);
            return result == -1 ? -state.get(JAVA_INT, ERRNO) : result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long raw(long number, long a, long b, long c, long d) {
        return raw(number, a, b, c, d, 0, 0);
    }

    static long raw(long number, long a, long b, long c) {
        return raw(number, a, b, c, 0, 0, 0);
    }

    static long raw(long number, long a, long b) {
        return raw(number, a, b, 0, 0, 0, 0);
    }

    static long raw(long number, long a) {
        return raw(number, a, 0, 0, 0, 0, 0);
    }

    /// The result, or an [ErrnoException] that names the call.
    static long check(String call, long result) {
        if (result < 0) {
            throw new ErrnoException(call, (int) -result);
        }
        return result;
    }

    /// A string as the kernel takes it. A NUL inside is refused: the kernel would see a shorter string.
    static MemorySegment string(SegmentAllocator allocator, String value) {
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a string for the kernel holds a NUL character");
        }
        byte[] bytes = ByteText.bytes(value);
        MemorySegment segment = allocator.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /// A NULL-terminated array of strings, as execve(2) takes them.
    static MemorySegment strings(SegmentAllocator allocator, Iterable<String> values) {
        var list = new java.util.ArrayList<MemorySegment>();
        values.forEach(value -> list.add(string(allocator, value)));
        MemorySegment array = allocator.allocate(ADDRESS, list.size() + 1L);
        for (int i = 0; i < list.size(); i++) {
            array.setAtIndex(JAVA_LONG, i, list.get(i).address());
        }
        array.setAtIndex(JAVA_LONG, list.size(), 0);
        return array;
    }

    static long offset(StructLayout layout, String field) {
        return layout.byteOffset(PathElement.groupElement(field));
    }

    static MemorySegment struct(SegmentAllocator allocator, MemoryLayout layout) {
        return allocator.allocate(layout);
    }

    /// A downcall handle throws nothing of its own; what arrives here is an Error or a bug.
    static RuntimeException impossible(Throwable t) {
        if (t instanceof Error error) {
            throw error;
        }
        if (t instanceof RuntimeException runtime) {
            throw runtime;
        }
        throw new AssertionError(t);
    }
}
