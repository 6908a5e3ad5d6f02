package dev.caisson.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The resources that this process and its children hold at one moment.
///
/// @param mounts of this mount namespace
/// @param cgroups on the whole host
/// @param residentKib of this process
/// @param zygoteKib resident memory of its children
record Footprint(long descriptors, long threads, long mounts, long cgroups, long residentKib, long zygoteKib) {
    private static final double TICK_MILLIS = 10; // USER_HZ, the same on every architecture that Linux still runs on
    private static final int FIELD_PARENT = 1;
    private static final int FIELD_USER_TIME = 11;
    private static final int FIELD_CHILDREN_SYSTEM_TIME = 14;

    static Footprint now() throws IOException {
        System.gc();
        Path self = Path.of("/proc/self");
        long cgroups = Files.readAllLines(Path.of("/proc/cgroups")).stream()
                .filter(line -> !line.startsWith("#"))
                .mapToLong(line -> Long.parseLong(line.split("\t", -1)[2]))
                .sum();
        long zygote = 0;
        for (Path child : children()) {
            zygote += resident(child);
        }
        return new Footprint(
                count(self.resolve("fd")),
                count(self.resolve("task")),
                Files.readAllLines(self.resolve("mountinfo")).size(),
                cgroups,
                resident(self),
                zygote);
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }

    private static long resident(Path process) throws IOException {
        return Files.readAllLines(process.resolve("status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }

    private static List<Path> children() throws IOException {
        var children = new ArrayList<Path>();
        String self = Long.toString(ProcessHandle.current().pid());
        try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (stat(process)
                        .map(fields -> fields[FIELD_PARENT].equals(self))
                        .orElse(false)) {
                    children.add(process);
                }
            }
        }
        return children;
    }

    /// Fields of proc_pid_stat(5) after the name; empty where the process has ended.
    private static java.util.Optional<String[]> stat(Path process) throws IOException {
        try {
            String text = Files.readString(process.resolve("stat"));
            return java.util.Optional.of(
                    text.substring(text.lastIndexOf(')') + 2).split(" ", -1));
        } catch (NoSuchFileException e) {
            return java.util.Optional.empty();
        }
    }

    /// CPU time that this process, its children and those it has reaped have used.
    static double cpuMillis() throws IOException {
        long ticks = 0;
        var processes = new ArrayList<>(children());
        processes.add(Path.of("/proc/self"));
        for (Path process : processes) {
            String[] fields = stat(process).orElse(new String[0]);
            for (int i = FIELD_USER_TIME; i <= FIELD_CHILDREN_SYSTEM_TIME && i < fields.length; i++) {
                ticks += Long.parseLong(fields[i]);
            }
        }
        return ticks * TICK_MILLIS;
    }
}
