package dev.caisson.engine;

import dev.caisson.linux.ThreadClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/// What threads of this process do, as the kernel sees it.
final class OwnThreads {
    private OwnThreads() {}

    private static final long BURNT_NANOS = 60_000_000;

    /// True if the threads of a name have nothing to do: those that never wait use about as much processor time as this
    /// one does here, however busy the machine is.
    ///
    /// @param name of at most 15 letters, as the kernel keeps no more
    static boolean areIdle(String name) throws IOException {
        long before = nanos(name);
        long begun = ThreadClock.cpuNanos();
        while (ThreadClock.cpuNanos() - begun < BURNT_NANOS) {
            Thread.onSpinWait();
        }
        return nanos(name) - before < BURNT_NANOS / 3;
    }

    /// Returns how much processor time this process has used, without the time of the JVM's compiler: that compiles
    /// what other tests ran, too.
    static Duration cpuWithoutCompiler() throws IOException {
        Duration all = ProcessHandle.current().info().totalCpuDuration().orElseThrow();
        // the first 15 letters of "C1 CompilerThread0" and "C2 CompilerThread0"
        return all.minusNanos(nanos("C1 CompilerThre") + nanos("C2 CompilerThre"));
    }

    private static long nanos(String name) throws IOException {
        long sum = 0;
        List<Path> tasks;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/task"))) {
            tasks = all.toList();
        }
        for (Path task : tasks) {
            try {
                if (Files.readString(task.resolve("comm")).strip().equals(name)) {
                    sum += Long.parseLong(
                            Files.readString(task.resolve("schedstat")).split(" ", -1)[0]);
                }
            } catch (IOException e) {
                if (Files.exists(task)) {
                    throw e;
                } // else it has ended
            }
        }
        return sum;
    }
}
