package dev.caisson.benchmarks;

import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Exec;
import dev.caisson.engine.Session;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Prints in one run what is promised of the speed of launches, programs, sessions, lives and commands, each beside
/// docker or crun, and whether it was reached.
public final class Speed {
    private static final int WARM_UP = 6_000;
    private static final int MEASURED = 400;
    private static final int SESSIONS = 100;
    private static final int LIVES = 60;
    private static final int FEW = 2;
    private static final int MANY = 64;
    private static final int RUNS_AT_ONCE = 640;
    private static final int READ_LIMIT = 1 << 16;
    private static final Path STATE = Path.of("/dev/shm/caisson-benchmark-speed");

    /// @param ours the figure that is promised
    /// @param beside the same of another runtime; 0: none
    /// @param most that `ours` may be
    /// @param share most that `ours` may be of `beside`; 0: no promise
    private record Promise(String what, double ours, String other, double beside, double most, double share) {
        boolean isReached() {
            return ours <= most && (share == 0 || (beside > 0 && ours <= share * beside));
        }

        String row() {
            String theirs =
                    beside == 0 ? "| |" : String.format(Locale.ROOT, "%s %.2f | %.2f |", other, beside, ours / beside);
            String goal = most == Double.MAX_VALUE ? "" : String.format(Locale.ROOT, "at most %.1f", most);
            String part = share == 0 ? "" : String.format(Locale.ROOT, ", %.2f of it", share);
            String reached = most == Double.MAX_VALUE ? "" : isReached() ? "yes" : "no";
            return String.format(Locale.ROOT, "| %s | %.2f | %s %s%s | %s |", what, ours, theirs, goal, part, reached);
        }
    }

    private final PrintStream out = System.out;
    private final List<Promise> promises = new ArrayList<>();
    private final Bundle bundle;
    private final Path data;

    private Speed(Bundle bundle, Path data) {
        this.bundle = bundle;
        this.data = data;
    }

    public static void main(String[] arguments) throws Exception {
        Path data = Path.of("/var/lib/caisson-benchmark-speed");
        Path directory = Files.createDirectories(data.resolve("bundle"));
        Launches.remove(directory);
        Files.createDirectories(directory);
        try {
            new Speed(Bundle.make(directory), data).all();
        } finally {
            Launches.remove(data);
            if (Files.exists(STATE)) {
                Launches.remove(STATE);
            }
        }
    }

    private void all() throws Exception {
        out.println("Load before: " + Launches.load());
        try (Engine engine = Engine.open(new EngineOptions(STATE, data))) {
            launches(engine);
            atOnce(engine);
            sessions(engine);
        }
        execs();
        life();
        commands();
        out.println("Load after: " + Launches.load());
        out.println();
        out.println("| milliseconds | ours | beside it | ratio | promise | reached |");
        out.println("|---|--:|--:|--:|---|---|");
        promises.forEach(promise -> out.println(promise.row()));
    }

    private ContainerSpec spec() {
        return ContainerSpec.of(Image.directory(bundle.root()), "/bin/true");
    }

    private void launches(Engine engine) throws IOException, InterruptedException {
        Times _ = Launches.time(engine, "warm-up", WARM_UP, spec());
        var peers = new Peers(bundle);
        Optional<Times> crun = peers.time(peers.all().getFirst(), MEASURED).times();
        Launches.settle();
        Times ours = Launches.time(engine, "Caisson", MEASURED, spec());
        double theirs = crun.map(Times::p50).orElse(0.0);
        promises.add(new Promise("launch in a warm engine, p50", ours.p50(), "crun run", theirs, 2.8, 0.42));
        promises.add(new Promise(
                "CPU of a launch", ours.cpu(), "crun run", crun.map(Times::cpu).orElse(0.0), 3.3, 0));
    }

    private void atOnce(Engine engine) throws Exception {
        Times few = atOnce(engine, FEW);
        Times many = atOnce(engine, MANY);
        promises.add(new Promise(
                "CPU of a run, " + MANY + " at once", many.cpu(), FEW + " at once", few.cpu(), 1.3 * few.cpu(), 1.3));
        promises.add(new Promise(MANY + " at once, p99", many.p99(), FEW + " at once", few.p99(), 150, 0));
    }

    private Times atOnce(Engine engine, int runners) throws Exception {
        long[] nanos = new long[RUNS_AT_ONCE];
        double cpu = Footprint.cpuMillis();
        long failures = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new ArrayList<Future<Long>>();
            for (int runner = 0; runner < runners; runner++) {
                int first = runner;
                all.add(threads.submit(() -> {
                    long failed = 0;
                    for (int i = first; i < nanos.length; i += runners) {
                        long before = System.nanoTime();
                        failed += engine.run(spec()).isOk() ? 0 : 1;
                        nanos[i] = System.nanoTime() - before;
                    }
                    return failed;
                }));
            }
            for (Future<Long> one : all) {
                failures += one.get();
            }
        }
        return Times.of(runners + " at once", nanos, failures, (Footprint.cpuMillis() - cpu) / nanos.length);
    }

    /// Opens one, writes a file, runs a program that reads it, reads what that wrote, and closes it.
    private void sessions(Engine engine) throws IOException, InterruptedException {
        byte[] text = "print".getBytes(StandardCharsets.UTF_8);
        ContainerSpec idle = ContainerSpec.of(Image.directory(bundle.root()));
        long[] nanos = new long[SESSIONS];
        long failures = 0;
        for (int i = -SESSIONS; i < SESSIONS; i++) {
            long before = System.nanoTime();
            try (Session session = engine.session(idle)) {
                session.files().write("/tmp/in", text);
                boolean ok = session.exec(Exec.of("/bin/busybox", "cp", "/tmp/in", "/tmp/out"))
                        .isOk();
                ok &= session.files().read("/tmp/out", Bytes.of(READ_LIMIT)).length == text.length;
                failures += ok ? 0 : 1;
            }
            if (i >= 0) {
                nanos[i] = System.nanoTime() - before;
            }
        }
        Times times = Times.of("session", nanos, failures, 0);
        promises.add(new Promise(
                "a session: open, write, exec, read, close, p50; " + failures + " failed",
                times.p50(),
                "",
                0,
                Double.MAX_VALUE,
                0));
    }

    private void execs() throws Exception {
        Execs.Medians medians = Execs.medians(bundle, data.resolve("execs"));
        promises.add(new Promise("exec in a warm engine, p50", medians.ours(), "crun exec", medians.crun(), 2, 0));
        promises.add(new Promise("", medians.ours(), "docker exec", medians.docker(), 2, 0));
    }

    private void life() throws Exception {
        double[] medians = Lifecycle.medians(bundle, data, LIVES);
        promises.add(new Promise("create + start + wait + rm, p50", medians[0], "docker's commands", medians[1], 8, 0));
    }

    private void commands() throws IOException, InterruptedException {
        Commands.Medians medians = Commands.medians(bundle, data.resolve("commands"));
        promises.add(new Promise(
                "run --rm host true, resident engine, p50", medians.run(), "docker run", medians.dockerRun(), 15, 0.1));
        promises.add(new Promise(
                "ps with 200 containers, resident engine, p50",
                medians.list(),
                "docker ps",
                medians.dockerList(),
                10,
                0.5));
    }
}
