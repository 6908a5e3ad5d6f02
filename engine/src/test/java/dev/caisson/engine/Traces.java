package dev.caisson.engine;

import dev.caisson.state.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What containers of one state directory have left on the host.
///
/// @param groups control groups below the directory's own, without their names: an engine may have the next one ready
/// @param records below the state directory, but for the engines' locks, without their names either
/// @param mounts that speak of its directories
/// @param open what this process has open, without numbers
record Traces(List<String> groups, List<String> records, List<String> mounts, List<String> open) {
    private static final long PATIENCE_NANOS = 15_000_000_000L;
    private static final long PAUSE_MILLIS = 50;
    private static final String USER_NAMESPACE = "user:[]";

    static Traces of(EngineOptions options) throws IOException {
        String parent;
        try (var state = new State(options.state())) {
            parent = state.cgroupParent();
        }
        return new Traces(groups(parent), records(options.state()), mountsOf(options), descriptors());
    }

    /// Those of an engine at rest: what it makes ahead and closes behind a run is made and closed by other threads.
    static Traces settled(EngineOptions options) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        Traces seen = of(options);
        for (int same = 0; same < 5 && System.nanoTime() < deadline; ) {
            Thread.sleep(PAUSE_MILLIS);
            Traces next = of(options);
            same = next.equals(seen) ? same + 1 : 0;
            seen = next;
        }
        return seen;
    }

    /// Those of an engine that comes to rest at `expected`, or what it has after a while.
    static Traces awaited(EngineOptions options, Traces expected) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        Traces seen = of(options);
        while (!seen.equals(expected) && System.nanoTime() < deadline) {
            Thread.sleep(PAUSE_MILLIS);
            seen = of(options);
        }
        return seen;
    }

    /// The hierarchies stand side by side below /sys/fs/cgroup, or are one.
    private static List<String> groups(String parent) throws IOException {
        var groups = new ArrayList<String>();
        List<Path> tops = new ArrayList<>();
        for (Path top : list(Path.of("/sys/fs/cgroup"))) {
            if (Files.isDirectory(top)) {
                tops.add(top.resolve(parent));
            }
        }
        tops.add(Path.of("/sys/fs/cgroup", parent));
        for (Path top : tops) {
            list(top).stream().filter(Files::isDirectory).map(Traces::withoutId).forEach(groups::add);
        }
        return groups;
    }

    private static List<String> records(Path state) throws IOException {
        var records = new ArrayList<String>();
        for (Path engine : list(state.resolve("engines"))) {
            list(engine).stream()
                    .map(Traces::withoutId)
                    .filter(name -> !name.endsWith("/lock"))
                    .forEach(records::add);
        }
        records.sort(null); // those of several engines, whose numbers are random
        return records;
    }

    private static String withoutId(Path path) {
        return path.toString().replaceAll("/(engines/)?[0-9a-f]{16,}(?=[/.]|$)", "/ID");
    }

    private static List<String> mountsOf(EngineOptions options) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .filter(line -> line.contains(options.state().toString())
                        || line.contains(options.data().toString()))
                .toList();
    }

    /// User namespaces stand once: an engine keeps those of as many id ranges as it needed at one time. How many
    /// depends on whether a container ends before the next one is made ahead.
    private static List<String> descriptors() throws IOException {
        var descriptors = new ArrayList<String>();
        for (Path descriptor : list(Path.of("/proc/self/fd"))) {
            target(descriptor)
                    .filter(target -> !target.startsWith("/proc/"))
                    .map(target -> target.replaceAll("/engines/[0-9a-f]+|\\d+", ""))
                    .filter(target -> !target.equals(USER_NAMESPACE) || !descriptors.contains(target))
                    .ifPresent(descriptors::add);
        }
        descriptors.sort(null);
        return descriptors;
    }

    /// Empty where it was closed since it was listed.
    private static Optional<String> target(Path descriptor) throws IOException {
        try {
            return Optional.of(Files.readSymbolicLink(descriptor).toString());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.sorted().toList();
        } catch (NoSuchFileException | UncheckedIOException e) {
            return List.of();
        }
    }
}
