package dev.caisson.watch;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.SeccompListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Finds the listener of a filter that a container's program has loaded and that holds back its execveat.
public final class ProgramListener {
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    private static final long PAUSE_NANOS = 200_000;

    private ProgramListener() {}

    /// @param pid of the container's process 1
    /// @param initStays whether the program is a child of that
    /// @return empty where the container has ended
    /// @throws WatchException NO_LISTENER where there is none after a long while
    static Optional<SeccompListener> await(int pid, boolean initStays, BooleanSupplier ended) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!ended.getAsBoolean()) {
            Optional<SeccompListener> found = program(pid, initStays).flatMap(SeccompListener::of);
            if (found.isPresent()) {
                return found;
            }
            if (System.nanoTime() > deadline) {
                throw new WatchException(
                        "NO_LISTENER",
                        "the program did not come to its filter within ten seconds: the host is overloaded, or the "
                                + "engine may not look at its processes, which takes CAP_SYS_PTRACE");
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return Optional.empty();
    }

    /// The container's program: process 1 itself, or its first child.
    public static Optional<Integer> program(int pid, boolean initStays) {
        if (!initStays) {
            return Optional.of(pid);
        }
        try {
            String children = ByteText.read(Path.of("/proc/" + pid + "/task/" + pid + "/children"))
                    .strip();
            int end = children.indexOf(' ');
            return children.isEmpty()
                    ? Optional.empty()
                    : Optional.of(Integer.parseInt(end < 0 ? children : children.substring(0, end)));
        } catch (IOException e) {
            return Optional.empty(); // it has ended, which its pidfd tells
        }
    }
}
