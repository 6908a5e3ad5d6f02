package dev.caisson.benchmarks;

import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.RunResult;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.WritableLayer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// Prints launches of a warm engine beside other runtimes, the command beside docker's, many at once, and what many
/// leave behind.
public final class Launches {
    private static final int WARM_UP = 16_000;
    private static final int MEASURED = 400;
    private static final int ROUNDS = 4;
    /// Each command gets a twentieth.
    private static final int COMMANDS = 1000;
    private static final long SETTLE_MILLIS = 3000;
    private static final int AT_ONCE = 64;
    private static final int MANY = 2_000;
    private static final int LONG = 10_000;

    private final Engine engine;
    private final ContainerSpec spec;
    private final PrintStream out = System.out;

    private Launches(Engine engine, Bundle bundle) {
        this.engine = engine;
        this.spec = ContainerSpec.of(Image.directory(bundle.root()), "/bin/true");
    }

    /// `--long` makes 10,000 launches instead of 2,000 in the last part, `--own` leaves the other runtimes out,
    /// `--commands` leaves out all but the command beside docker's.
    public static void main(String[] arguments) throws Exception {
        List<String> wishes = List.of(arguments);
        Path data = Path.of("/var/lib/caisson-benchmark");
        Path directory = Files.createDirectories(data.resolve("bundle"));
        remove(directory);
        Files.createDirectories(directory);
        Bundle bundle = Bundle.make(directory);
        try (Engine engine = Engine.open(new EngineOptions(Path.of("/dev/shm/caisson-benchmark"), data))) {
            var launches = new Launches(engine, bundle);
            var peers = new Peers(bundle);
            if (wishes.contains("--commands")) {
                launches.commands(peers, bundle, data.resolve("docker"));
                return;
            }
            launches.beside(wishes.contains("--own") ? List.of() : peers.all(), peers);
            if (!wishes.contains("--own")) {
                launches.commands(peers, bundle, data.resolve("docker"));
            }
            launches.atOnce();
            launches.leftBehind(wishes.contains("--long") ? LONG : MANY);
        } finally {
            remove(data);
        }
    }

    static void remove(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).strip();
    }

    /// Rounds of Caisson stand before, between and after the others, so that a change of the machine's load shows.
    private void beside(List<Peers.Peer> others, Peers peers) throws IOException, InterruptedException {
        time("warm-up", WARM_UP);
        var rows = new ArrayList<Times>();
        var skipped = new ArrayList<String>();
        double crun = 0;
        out.println("Load before: " + load());
        settle();
        rows.add(time("Caisson, warm engine", MEASURED));
        for (Peers.Peer peer : others) {
            settle();
            Peers.Outcome outcome = peers.time(peer, MEASURED);
            outcome.times().ifPresent(rows::add);
            if (outcome.times().isEmpty()) {
                skipped.add(outcome.name() + " is left out: " + outcome.reason());
            } else if (Peers.isCrun(outcome.name())) {
                crun = outcome.times().get().p50();
                settle();
                rows.add(time("Caisson, after crun", MEASURED));
            }
        }
        settle();
        rows.add(time("Caisson, at the end", MEASURED * (ROUNDS - 2)));
        rows.add(time("Caisson, writable layer of 64 MiB on disk", MEASURED / 2, onDisk()));
        out.println("Load after: " + load());
        out.println();
        out.println(Times.header("crun"));
        for (Times row : rows) {
            out.println(row.row(crun));
        }
        out.println();
        skipped.forEach(out::println);
    }

    /// The kernel clears up network namespaces and control groups after the program that had them has gone; nobody
    /// pays for those of the one before.
    static void settle() throws InterruptedException {
        Thread.sleep(SETTLE_MILLIS);
    }

    /// From the shell: what somebody who types the command waits for.
    private void commands(Peers peers, Bundle bundle, Path directory) throws IOException, InterruptedException {
        Optional<DockerDaemon> docker = DockerDaemon.start(directory, bundle);
        try {
            var rows = new ArrayList<Times>();
            double dockers = 0;
            for (Peers.Peer peer : peers.commands(docker)) {
                settle();
                Peers.Outcome outcome = peers.time(peer, COMMANDS);
                outcome.times()
                        .ifPresentOrElse(
                                rows::add, () -> out.println(outcome.name() + " is left out: " + outcome.reason()));
                dockers = outcome.times().map(Times::p50).orElse(0.0); // docker's is the last
            }
            out.println(Times.header("docker"));
            for (Times row : rows) {
                out.println(row.row(docker.isPresent() ? dockers : 0));
            }
            out.println();
            if (docker.isEmpty()) {
                out.println("docker is left out: no dockerd starts here");
            }
        } finally {
            if (docker.isPresent()) {
                docker.get().stop();
            }
        }
    }

    private ContainerSpec onDisk() {
        return spec.writableLayer(
                WritableLayer.STANDARD.size(Bytes.mebibytes(64)).place(WritableLayer.Place.DISK));
    }

    private Times time(String name, int count) throws IOException, InterruptedException {
        return time(name, count, spec);
    }

    private Times time(String name, int count, ContainerSpec wish) throws IOException, InterruptedException {
        return time(engine, name, count, wish);
    }

    static Times time(Engine engine, String name, int count, ContainerSpec wish)
            throws IOException, InterruptedException {
        long[] nanos = new long[count];
        long failures = 0;
        double cpu = Footprint.cpuMillis();
        for (int i = 0; i < count; i++) {
            long before = System.nanoTime();
            RunResult result = engine.run(wish);
            nanos[i] = System.nanoTime() - before;
            failures += result.isOk() ? 0 : 1;
        }
        return Times.of(name, nanos, failures, (Footprint.cpuMillis() - cpu) / count);
    }

    private void atOnce() throws Exception {
        long failures = 0;
        long[] nanos = new long[AT_ONCE];
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var runs = new ArrayList<Future<Boolean>>();
            for (int i = 0; i < AT_ONCE; i++) {
                int index = i;
                runs.add(threads.submit(() -> {
                    long before = System.nanoTime();
                    boolean ok = engine.run(spec).isOk();
                    nanos[index] = System.nanoTime() - before;
                    return ok;
                }));
            }
            for (Future<Boolean> run : runs) {
                failures += run.get() ? 0 : 1;
            }
        }
        Times times = Times.of("at once", nanos, failures, 0);
        out.printf(
                Locale.ROOT,
                "%d at once, from virtual threads: %d failed, p50 %.1f ms, p99 %.1f ms%n",
                AT_ONCE,
                failures,
                times.p50(),
                times.p99());
    }

    private void leftBehind(int count) throws IOException, InterruptedException {
        Footprint before = Footprint.now();
        Times times = time("many", count);
        Footprint after = Footprint.now();
        out.println();
        out.printf(
                Locale.ROOT,
                "%d launches one after the other: %d failed, p50 %.2f ms, p99 %.2f ms, CPU %.2f ms each%n%n",
                count,
                times.failures(),
                times.p50(),
                times.p99(),
                times.cpu());
        out.println("| | descriptors | threads | mounts | cgroups of the host | resident KiB | zygote's KiB |");
        out.println("|---|--:|--:|--:|--:|--:|--:|");
        print("before", before);
        print("after", after);
    }

    private void print(String when, Footprint held) {
        out.printf(
                Locale.ROOT,
                "| %s | %d | %d | %d | %d | %d | %d |%n",
                when,
                held.descriptors(),
                held.threads(),
                held.mounts(),
                held.cgroups(),
                held.residentKib(),
                held.zygoteKib());
    }
}
