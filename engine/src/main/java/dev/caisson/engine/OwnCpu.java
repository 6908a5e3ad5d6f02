package dev.caisson.engine;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/// Processor time of the engine itself: its threads, which the JVM names for the kernel too, and its helper process.
/// From `/proc/PID/task/TID/stat`, proc_pid_stat(5).
final class OwnCpu {
    private static final String THREADS = "caisson-";
    private static final int MAX_STAT = 4096;
    private static final int USER = 11; // field 14, counted from behind the name
    private static final long NANOS_PER_TICK = 10_000_000; // USER_HZ is 100 on every architecture of ours

    private OwnCpu() {}

    /// @param helper pid of the helper process
    static Duration read(int helper) {
        long ticks = ticks("/proc/" + helper + "/stat", "");
        try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
            for (Path thread : threads.toList()) {
                ticks += ticks(thread.resolve("stat").toString(), THREADS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Duration.ofNanos(ticks * NANOS_PER_TICK);
    }

    /// 0 for a thread of another name, and for one that has ended meanwhile.
    private static long ticks(String file, String name) {
        try (Fd stat = FileSystem.open(file, FileSystem.O_RDONLY)) {
            String text = new String(FileSystem.read(stat, MAX_STAT), StandardCharsets.UTF_8);
            if (!text.startsWith(name, text.indexOf('(') + 1)) {
                return 0;
            }
            String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
            return Long.parseLong(fields[USER]) + Long.parseLong(fields[USER + 1]);
        } catch (ErrnoException e) {
            return 0;
        }
    }
}
