package dev.caisson.benchmarks;

import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Prints what a network adds to a launch, and how soon a published server answers: launches of a warm engine with a
/// network and without one take turns, and so
/// do those of docker's command. Needs a network namespace of its own, in which bridges can be made.
public final class NetworkShare {
    private static final int WARM_UP = 2_000;
    private static final int TURNS = 8;
    private static final int MEASURED = 50;
    private static final int DOCKERS = 4;
    private static final int PAUSE_MILLIS = 20;
    private static final int AT_ONCE = 64;
    private static final int RUNS_AT_ONCE = 320;
    private static final Path STATE = Path.of("/dev/shm/caisson-benchmark-network");

    private final PrintStream out = System.out;
    private final Bundle bundle;

    private NetworkShare(Bundle bundle) {
        this.bundle = bundle;
    }

    /// `--own` leaves docker out.
    public static void main(String[] arguments) throws Exception {
        Path data = Path.of("/var/lib/caisson-benchmark-network");
        Path directory = Files.createDirectories(data.resolve("bundle"));
        Launches.remove(directory);
        Files.createDirectories(directory);
        try {
            new NetworkShare(Bundle.make(directory))
                    .all(data, !List.of(arguments).contains("--own"));
        } finally {
            Launches.remove(data);
            if (Files.exists(STATE)) {
                Launches.remove(STATE);
            }
        }
    }

    private void all(Path data, boolean beside) throws Exception {
        out.println("Load before: " + Launches.load());
        var rows = new ArrayList<Times>();
        Optional<DockerDaemon> docker =
                beside ? DockerDaemon.start(data.resolve("docker"), bundle, true) : Optional.empty();
        try (Engine engine = Engine.open(new EngineOptions(STATE, data))) {
            Times _ = launches(engine, "warm-up", WARM_UP, without());
            Times _ = launches(engine, "warm-up", WARM_UP, with());
            rows.addAll(inTurns(engine, docker));
            starts(engine);
            answers(engine, docker);
            rows.add(atOnce(engine, AT_ONCE + " at once without a network", without()));
            rows.add(atOnce(engine, AT_ONCE + " at once on a network", with()));
        } finally {
            if (docker.isPresent()) {
                docker.get().stop();
            }
        }
        out.println("Load after: " + Launches.load());
        out.println();
        out.println(Times.header("ours without a network"));
        rows.forEach(row -> out.println(row.row(rows.getFirst().p50())));
        out.println();
        share("ours", rows.get(1), rows.get(0));
        if (docker.isPresent()) {
            share("docker", rows.get(3), rows.get(2));
        } else {
            out.println("docker is left out");
        }
    }

    private void answers(Engine engine, Optional<DockerDaemon> docker) throws IOException, InterruptedException {
        Times ours = FirstAnswer.ours(engine, bundle, MEASURED, MEASURED);
        String theirs = docker.isEmpty()
                ? ""
                : String.format(
                        Locale.ROOT,
                        ", docker's command p50 %.2f ms",
                        FirstAnswer.dockers(docker.get(), TURNS).p50());
        out.printf(
                Locale.ROOT,
                "from the wish for a published server to its first answer: p50 %.2f, p90 %.2f ms%s%n",
                ours.p50(),
                ours.p90(),
                theirs);
    }

    private void share(String whose, Times with, Times without) {
        out.printf(
                Locale.ROOT,
                "network's share of a warm launch, %s: %.2f ms (p50 %.2f with it, %.2f without)%n",
                whose,
                with.p50() - without.p50(),
                with.p50(),
                without.p50());
    }

    /// Launches with pauses between them, as of a service that launches when somebody asks.
    private void starts(Engine engine) throws InterruptedException {
        long[][] programs = new long[2][TURNS * MEASURED];
        long[][] ends = new long[2][TURNS * MEASURED];
        for (int turn = 0; turn < TURNS; turn++) {
            for (int kind = 0; kind < 2; kind++) {
                for (int i = turn * MEASURED; i < (turn + 1) * MEASURED; i++) {
                    Thread.sleep(PAUSE_MILLIS);
                    long before = System.nanoTime();
                    Container started = engine.start(kind == 0 ? without() : with(), Streams.capture());
                    programs[kind][i] = System.nanoTime() - before;
                    if (!started.await().isOk()) {
                        throw new IllegalStateException("a launch failed");
                    }
                    ends[kind][i] = System.nanoTime() - before;
                }
            }
        }
        out.printf(
                Locale.ROOT,
                "with %d ms between launches, until the program runs: p50 %.2f with a network, %.2f without: %.2f ms;"
                        + " until its end: %.2f and %.2f: %.2f ms%n",
                PAUSE_MILLIS,
                p50(programs[1]),
                p50(programs[0]),
                p50(programs[1]) - p50(programs[0]),
                p50(ends[1]),
                p50(ends[0]),
                p50(ends[1]) - p50(ends[0]));
    }

    private static double p50(long[] nanos) {
        return Times.of("", nanos, 0, 0).p50();
    }

    private ContainerSpec without() {
        return ContainerSpec.of(Image.directory(bundle.root()), "/bin/true");
    }

    private ContainerSpec with() {
        return without().network(Network.on("bridge"));
    }

    private List<Times> inTurns(Engine engine, Optional<DockerDaemon> docker) throws IOException, InterruptedException {
        long[] none = new long[TURNS * MEASURED];
        long[] networked = new long[TURNS * MEASURED];
        long[] theirsNone = new long[TURNS * DOCKERS];
        long[] theirs = new long[TURNS * DOCKERS];
        long failed = 0;
        for (int turn = 0; turn < TURNS; turn++) {
            Launches.settle();
            failed += run(engine, without(), none, turn * MEASURED, MEASURED);
            Launches.settle();
            failed += run(engine, with(), networked, turn * MEASURED, MEASURED);
            if (docker.isPresent()) {
                failed += run(docker.get(), "none", theirsNone, turn * DOCKERS);
                failed += run(docker.get(), "bridge", theirs, turn * DOCKERS);
            }
        }
        if (failed > 0) {
            throw new IllegalStateException(failed + " launches failed");
        }
        var rows = new ArrayList<>(List.of(
                Times.of("Caisson, warm engine, without a network", none, 0, 0),
                Times.of("Caisson, warm engine, on a network", networked, 0, 0)));
        if (docker.isPresent()) {
            rows.add(Times.of("docker run --rm --network none", theirsNone, 0, 0));
            rows.add(Times.of("docker run --rm", theirs, 0, 0));
        }
        return rows;
    }

    private static long run(Engine engine, ContainerSpec spec, long[] nanos, int from, int count)
            throws InterruptedException {
        long failed = 0;
        for (int i = from; i < from + count; i++) {
            long before = System.nanoTime();
            failed += engine.run(spec).isOk() ? 0 : 1;
            nanos[i] = System.nanoTime() - before;
        }
        return failed;
    }

    private static long run(DockerDaemon docker, String network, long[] nanos, int from)
            throws IOException, InterruptedException {
        long failed = 0;
        for (int i = from; i < from + DOCKERS; i++) {
            long before = System.nanoTime();
            failed +=
                    new ProcessBuilder(docker.run(network)).inheritIO().start().waitFor() == 0 ? 0 : 1;
            nanos[i] = System.nanoTime() - before;
        }
        return failed;
    }

    private static Times launches(Engine engine, String name, int count, ContainerSpec spec)
            throws IOException, InterruptedException {
        return Launches.time(engine, name, count, spec);
    }

    private static Times atOnce(Engine engine, String name, ContainerSpec spec) throws Exception {
        Launches.settle();
        long[] nanos = new long[RUNS_AT_ONCE];
        double cpu = Footprint.cpuMillis();
        long failures = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new ArrayList<Future<Long>>();
            for (int runner = 0; runner < AT_ONCE; runner++) {
                int first = runner;
                all.add(threads.submit(() -> {
                    long failed = 0;
                    for (int i = first; i < nanos.length; i += AT_ONCE) {
                        long before = System.nanoTime();
                        failed += engine.run(spec).isOk() ? 0 : 1;
                        nanos[i] = System.nanoTime() - before;
                    }
                    return failed;
                }));
            }
            for (Future<Long> one : all) {
                failures += one.get();
            }
        }
        return Times.of(name, nanos, failures, (Footprint.cpuMillis() - cpu) / nanos.length);
    }
}
