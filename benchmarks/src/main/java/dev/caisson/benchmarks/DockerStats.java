package dev.caisson.benchmarks;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Meter;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Prints what dockerd takes to tell what its containers use, beside what reading as many groups takes here: in one
/// run, with a dockerd of the benchmark's own, where one is installed.
public final class DockerStats {
    private static final String PARENT = "caisson-benchmark-stats";
    private static final int CONTAINERS = 10;
    private static final int WARM_UP = 300;
    private static final int MEASURED = 300;
    private static final int COMMANDS = 5;

    private DockerStats() {}

    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-benchmark");
        try {
            Optional<DockerDaemon> daemon = DockerDaemon.start(
                    Files.createDirectory(directory.resolve("docker")), Bundle.make(directory.resolve("bundle")));
            if (daemon.isEmpty()) {
                System.out.println("dockerd is left out: none is installed here, or it does not start");
                return;
            }
            try {
                compare(daemon.get());
            } finally {
                daemon.get().stop();
            }
        } finally {
            remove(directory);
        }
    }

    private static void compare(DockerDaemon daemon) throws Exception {
        for (int i = 0; i < CONTAINERS; i++) {
            if (!daemon.startIdle(name(i)) || !daemon.statsOf(name(i)).contains("\"pids_stats\"")) {
                throw new IOException("dockerd tells nothing of " + name(i) + ": " + daemon.statsOf(name(i)));
            }
        }
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            List<Cgroup> groups = IntStream.range(0, CONTAINERS)
                    .mapToObj(i -> hierarchy.create(PARENT, name(i), Limits.defaults()))
                    .toList();
            List<Meter> meters = groups.stream().map(Cgroup::meter).toList();
            double theirs = median(WARM_UP, MEASURED, i -> () -> daemon.statsOf(name(i)));
            double once = median(WARM_UP, MEASURED, i -> groups.get(i)::usage);
            double again = median(WARM_UP, MEASURED, i -> meters.get(i)::read);
            double command = median(1, COMMANDS, _ -> () -> run(daemon.stats()));
            double all = median(
                    WARM_UP,
                    MEASURED,
                    _ -> () -> groups.stream().map(Cgroup::usage).toList());
            line("one container, dockerd's API, one shot", theirs, "");
            line("one container, here, a look that keeps nothing open", once, ratio(once, theirs));
            line("one container, here, with the files open", again, ratio(again, theirs));
            line(CONTAINERS + " containers, docker stats --no-stream", command, "");
            line(CONTAINERS + " groups, here, a look that keeps nothing open", all, ratio(all, command));
            meters.forEach(Meter::close);
            groups.forEach(Cgroup::remove);
            hierarchy.removeParent(PARENT);
        }
    }

    private static String name(int i) {
        return "caisson-stats-" + i;
    }

    /// A question about a container.
    private interface Question {
        Callable<?> of(int container);
    }

    private static double median(int warmUp, int measured, Question question) throws Exception {
        long[] nanos = new long[measured];
        for (int i = -warmUp; i < measured; i++) {
            Callable<?> call = question.of(Math.floorMod(i, CONTAINERS));
            long before = System.nanoTime();
            call.call();
            if (i >= 0) {
                nanos[i] = System.nanoTime() - before;
            }
        }
        Arrays.sort(nanos);
        return nanos[measured / 2] / 1e6;
    }

    private static int run(List<String> command) throws IOException, InterruptedException {
        int status = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException(command + " ended with status " + status);
        }
        return status;
    }

    private static String ratio(double ours, double theirs) {
        return String.format(Locale.ROOT, "%.4f of dockerd's", ours / theirs);
    }

    private static void line(String what, double millis, String ratio) {
        System.out.printf(Locale.ROOT, "%-52s p50 %9.3f ms  %s%n", what, millis, ratio);
    }

    private static void remove(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
