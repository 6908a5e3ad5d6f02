package dev.caisson.image;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// The mode bits that new files of this process do not get, umask(2).
final class Umask {
    @SuppressWarnings("restricted") // a function of libc that takes and gives a number
    private static final MethodHandle UMASK = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("umask"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private Umask() {}

    /// Sets it, and returns the one before.
    static int set(int mask) {
        try {
            return (int) UMASK.invokeExact(mask);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
