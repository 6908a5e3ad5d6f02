package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;

/// When processes started: with the pid this names one process, however pids are used again.
final class ProcessTimes {
    private static final int MAX_STAT = 4096;
    private static final int FIELDS_AFTER_NAME = 20;

    private ProcessTimes() {}

    /// Field 22 of /proc/PID/stat, in clock ticks since boot. The name before it may hold anything, so fields are
    /// counted
    /// from its closing parenthesis.
    static long startTime(int pid) {
        try (Fd stat = FileSystem.open("/proc/" + pid + "/stat", FileSystem.O_RDONLY)) {
            String text = new String(FileSystem.read(stat, MAX_STAT), StandardCharsets.UTF_8);
            String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
            return Long.parseLong(fields[FIELDS_AFTER_NAME - 1]);
        }
    }
}
