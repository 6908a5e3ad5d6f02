package dev.caisson.benchmarks;

import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DetachedOptions;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/// Prints what containers that outlive their command cost while they do nothing, how long the life of a short one
/// takes, and how fast a log is written, beside docker, and beside podman what idle ones cost.
public final class Idle {
    private static final int CONTAINERS = 500;
    private static final int PEERS = 10;
    private static final int LIVES = 100;
    private static final int WARM_UP = 50;
    private static final int LOG_MEBIBYTES = 64;
    private static final int KIBI = 1024;
    private static final String SLEEP = "600";
    private static final String NAME = "caisson-benchmark-idle";
    private static final String LINES =
            "/bin/busybox yes 0123456789012345678901234567890123456789012345678901234567890123"
                    + " | /bin/busybox head -c " + (LOG_MEBIBYTES << 20);

    private final PrintStream out = System.out;
    private final Bundle bundle;
    private final EngineOptions options;

    private Idle(Bundle bundle, EngineOptions options) {
        this.bundle = bundle;
        this.options = options;
    }

    public static void main(String[] arguments) throws Exception {
        int count = CONTAINERS;
        if (arguments.length == 2 && arguments[0].equals("--containers")) {
            count = Integer.parseInt(arguments[1]);
        } else if (arguments.length > 0) {
            throw new IllegalArgumentException("usage: benchmarks/idle [--containers COUNT]");
        }
        Path data = Path.of("/var/lib/caisson-benchmark");
        Path directory = Files.createDirectories(data.resolve("bundle"));
        Launches.remove(directory);
        Files.createDirectories(directory);
        try {
            new Idle(Bundle.make(directory), new EngineOptions(Path.of("/dev/shm/caisson-benchmark"), data))
                    .beside(count, data);
        } finally {
            Launches.remove(data);
        }
    }

    private void beside(int count, Path data) throws Exception {
        out.println("Load before: " + Launches.load());
        idle(count);
        lives();
        double ours = ourLog();
        ofDocker(data.resolve("docker"), ours);
        ofPodman(data.resolve("podman"));
        out.println("Load after: " + Launches.load());
    }

    private DetachedContainer create(String name, String... command) throws InterruptedException {
        try (Engine engine = Engine.open(options)) {
            return create(engine, name, command);
        }
    }

    private DetachedContainer create(Engine engine, String name, String... command) throws InterruptedException {
        return engine.create(
                ContainerSpec.of(Image.directory(bundle.root()), command).name(name), DetachedOptions.STANDARD);
    }

    private void idle(int count) throws InterruptedException, IOException {
        var made = new ArrayList<DetachedContainer>();
        Pss before = ours(); // of others on this machine
        try {
            long begun = System.nanoTime();
            try (Engine engine = Engine.open(options)) {
                for (int i = 0; i < count; i++) {
                    DetachedContainer one = create(engine, NAME + i, "/bin/busybox", "sleep", SLEEP);
                    made.add(one);
                    one.start();
                }
            }
            out.printf(Locale.ROOT, "%d started, %.1f ms each%n", count, millis(begun) / count);
            Thread.sleep(5_000); // what they free after a second is free
            Pss pss = ours();
            out.printf(
                    Locale.ROOT,
                    "Caisson: %.3f MiB for each idle container, of %d processes, beside its program%n",
                    (pss.mebibytes() - before.mebibytes()) / count,
                    pss.processes() - before.processes());
        } finally {
            long begun = System.nanoTime();
            for (DetachedContainer one : made) {
                one.remove(true);
            }
            out.printf(Locale.ROOT, "removed, %.1f ms each%n", millis(begun) / Math.max(1, made.size()));
        }
        out.println("processes left: " + (ours().processes() - before.processes()));
    }

    /// Monitors, zygotes and inits.
    private static Pss ours() throws IOException {
        return Pss.of(exe -> exe.startsWith("/memfd:caisson-init"));
    }

    private void lives() throws InterruptedException {
        double[] millis = new double[LIVES];
        try (Engine engine = Engine.open(options)) {
            for (int i = -WARM_UP; i < LIVES; i++) {
                long begun = System.nanoTime();
                DetachedContainer one = create(engine, NAME, "/bin/true");
                one.start();
                Optional<?> _ = one.await();
                one.remove(false);
                if (i >= 0) {
                    millis[i] = millis(begun);
                }
            }
        }
        print("Caisson, warm engine: create, start, wait, rm", millis);
    }

    private void print(String what, double[] millis) {
        Arrays.sort(millis);
        out.printf(
                Locale.ROOT,
                "%s: p50 %.1f ms, p90 %.1f ms%n",
                what,
                millis[millis.length / 2],
                millis[millis.length * 9 / 10]);
    }

    /// @return MiB a second
    private double ourLog() throws InterruptedException {
        DetachedContainer one = create(NAME, "/bin/busybox", "sh", "-c", LINES);
        long begun = System.nanoTime();
        one.start();
        if (one.await().orElseThrow().status() != 0) {
            throw new IllegalStateException("the writer of the log has failed");
        }
        double speed = LOG_MEBIBYTES / (millis(begun) / 1000);
        one.remove(true);
        out.printf(Locale.ROOT, "Caisson's log: %.1f MiB of lines a second%n", speed);
        return speed;
    }

    private static double millis(long begun) {
        return (System.nanoTime() - begun) / 1e6;
    }

    private void ofDocker(Path directory, double ours) throws IOException, InterruptedException {
        Optional<DockerDaemon> docker = DockerDaemon.start(directory, bundle);
        if (docker.isEmpty()) {
            out.println("docker is left out: no dockerd starts here");
            return;
        }
        try {
            int started = 0;
            while (started < PEERS && docker.get().startIdle(NAME + started)) {
                started++;
            }
            Pss shims = Pss.of(exe -> exe.endsWith("/containerd-shim-runc-v2"));
            out.printf(
                    Locale.ROOT,
                    "docker's containerd-shim: %.3f MiB for each of %d idle containers%n",
                    shims.mebibytes() / Math.max(1, shims.processes()),
                    started);
            double[] lives = new double[PEERS];
            for (int i = 0; i < PEERS; i++) {
                long begun = System.nanoTime();
                docker.get().life("life" + i);
                lives[i] = millis(begun);
            }
            print("docker create, start, wait, rm", lives);
            long begun = System.nanoTime();
            if (!docker.get().log("log", LINES)) {
                throw new IllegalStateException("the writer of docker's log has failed");
            }
            double theirs = LOG_MEBIBYTES / (millis(begun) / 1000);
            out.printf(
                    Locale.ROOT,
                    "docker's json-file: %.1f MiB of lines a second; ours is %.1f times as fast%n",
                    theirs,
                    ours / theirs);
            for (int i = 0; i < started; i++) {
                docker.get().remove(NAME + i);
            }
        } finally {
            docker.get().stop();
        }
    }

    private void ofPodman(Path directory) throws IOException, InterruptedException {
        Podman podman = new Podman(directory);
        int started = 0;
        while (started < PEERS
                && podman.run(
                        "run",
                        "--detach",
                        "--network",
                        "none",
                        "--name",
                        NAME + started,
                        "--rootfs",
                        bundle.root().toString(),
                        "/bin/busybox",
                        "sleep",
                        SLEEP)) {
            started++;
        }
        try {
            String own = directory.toString();
            Pss monitors = Pss.of((exe, command) -> exe.endsWith("/conmon") && command.contains(own));
            if (started == 0) {
                out.println("podman is left out: no container of it starts here");
            } else {
                out.printf(
                        Locale.ROOT,
                        "podman's conmon: %.3f MiB for each of %d idle containers%n",
                        monitors.mebibytes() / Math.max(1, monitors.processes()),
                        monitors.processes());
            }
        } finally {
            for (int i = 0; i < started; i++) {
                boolean _ = podman.run("rm", "--force", "--time", "0", NAME + i);
            }
        }
    }

    /// Memory of processes, each page divided among those that share it.
    private record Pss(double mebibytes, int processes) {
        static Pss of(Predicate<String> isTheirs) throws IOException {
            return of((exe, _) -> isTheirs.test(exe));
        }

        /// @param isTheirs gets the program of a process and its arguments
        static Pss of(BiPredicate<String, String> isTheirs) throws IOException {
            long kibibytes = 0;
            int processes = 0;
            try (var all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
                for (Path process : all) {
                    try {
                        Path exe = Files.readSymbolicLink(process.resolve("exe"));
                        if (isTheirs.test(exe.toString(), Files.readString(process.resolve("cmdline")))) {
                            kibibytes += of(process);
                            processes++;
                        }
                    } catch (IOException e) {
                        // it has ended, or is the kernel's
                    }
                }
            }
            return new Pss((double) kibibytes / KIBI, processes);
        }

        private static long of(Path process) throws IOException {
            return Files.readAllLines(process.resolve("smaps_rollup")).stream()
                    .filter(line -> line.startsWith("Pss:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .sum();
        }
    }
}
