package dev.caisson.benchmarks;

import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.engine.Session;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.Snapshot;
import dev.caisson.image.StoredImage;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.WritableLayer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Prints in one run what is promised of images, beside docker and podman: pulls, launches, builds and forks.
public final class ImageSpeed {
    private static final String LAUNCHER = "./caisson";
    private static final int PULLS = 3;
    private static final Set<String> PARTS = Set.of("pulls", "builds", "launches", "forks", "large");
    private static final int BUILDS = 28;
    private static final int FIRST_BUILDS = 7;
    private static final int WARM_UP = 2_000;
    private static final int PAIRS = 400;
    private static final int FORKS = 32;
    private static final int FORK_PAIRS = 10;
    private static final int FORKS_AT_ONCE = 2 * Runtime.getRuntime().availableProcessors();
    private static final int SNAPSHOT_FILES = 50;
    private static final int SNAPSHOT_FILE = 4 << 20;
    private static final long LARGE = 1L << 30;
    private static final long SERVE_SECONDS = 60;
    private static final Path DATA = Path.of("/var/lib/caisson-benchmark-images");
    private static final Path STATE = Path.of("/dev/shm/caisson-benchmark-images-engine");

    private final PrintStream out = System.out;
    private final LocalRegistry registry;
    private final Optional<DockerDaemon> docker;
    private final Podman podman;
    private final EngineOptions options = new EngineOptions(STATE, DATA.resolve("engine"));

    private ImageSpeed(LocalRegistry registry, Optional<DockerDaemon> docker) {
        this.registry = registry;
        this.docker = docker;
        this.podman = new Podman(DATA.resolve("podman"));
    }

    /// Measures, and prints the table.
    /// @param arguments a tar archive of a Debian root file system, and the parts to measure (all)
    public static void main(String[] arguments) throws Exception {
        Path root = Files.createDirectories(DATA.resolve("root"));
        if (run(List.of("tar", "-C", root.toString(), "--numeric-owner", "--exclude=./dev/*", "-xf", arguments[0]))
                != 0) {
            throw new IOException("tar cannot read " + arguments[0]);
        }
        Bundle bundle = Bundle.make(Files.createDirectories(DATA.resolve("bundle")));
        Process serve = new ProcessBuilder(LAUNCHER, "serve")
                .redirectError(DATA.resolve("serve.log").toFile())
                .start();
        Optional<DockerDaemon> docker = DockerDaemon.startHere(DATA.resolve("docker"), bundle);
        try (LocalRegistry registry = LocalRegistry.start(DATA.resolve("registry"))) {
            List<String> chosen = List.of(arguments).subList(1, arguments.length);
            if (!PARTS.containsAll(chosen)) {
                throw new IllegalArgumentException(
                        "usage: benchmarks/images ROOT.tar [pulls|builds|launches|forks|large]…");
            }
            new ImageSpeed(registry, docker).measure(root, chosen.isEmpty() ? PARTS : Set.copyOf(chosen));
        } finally {
            serve.destroy();
            serve.waitFor(SERVE_SECONDS, TimeUnit.SECONDS);
            if (docker.isPresent()) {
                docker.get().stop();
            }
            Launches.remove(STATE);
        }
    }

    private void measure(Path root, Set<String> parts) throws Exception {
        String debian;
        String large = "";
        try (Images images = Images.open(options)) {
            Path archives = Files.createDirectories(DATA.resolve("archives"));
            var samples = new ImageSamples(images, registry, archives);
            debian = samples.split(root, "debian:1");
            String _ = samples.above(images.find(debian), "debian:2");
            if (parts.contains("large")) {
                large = samples.large(LARGE, "large:1");
            }
            out.printf(
                    Locale.ROOT,
                    "The image has %d MiB, %d MiB as it is transferred, in %d layers%n",
                    size(archives) >> 20,
                    images.layers(images.find(debian)).stream()
                                    .mapToLong(layer -> layer.size())
                                    .sum()
                            >> 20,
                    images.layers(images.find(debian)).size());
            forget(images);
            Launches.remove(archives);
        }
        out.println("Load before: " + Launches.load());
        out.println();
        out.println("| milliseconds, p50 | ours | beside it | ratio | promise | reached |");
        out.println("|---|--:|--:|--:|---|---|");
        if (parts.contains("pulls")) {
            pulls(debian);
            sharedBase(debian);
        }
        if (parts.contains("builds")) {
            builds(debian);
        }
        try (Engine engine = Engine.open(options);
                Images images = Images.open(options)) {
            pull(images, debian);
            if (parts.contains("launches")) {
                launches(engine, debian, root);
            }
            if (parts.contains("forks")) {
                forks(engine, debian);
            }
        }
        if (parts.contains("large")) {
            large(large);
        }
        out.println();
        out.println("Load after: " + Launches.load());
    }

    private static long size(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    private static void forget(Images images) {
        for (StoredImage image : images.list()) {
            images.remove(image);
        }
        images.prune(true);
    }

    /// @param share of `theirs` that `ours` may be; 0: no promise
    private void row(String what, double ours, String other, double theirs, double share) {
        String beside =
                theirs == 0 ? "| |" : String.format(Locale.ROOT, "%s %.1f | %.2f |", other, theirs, ours / theirs);
        String promise = share == 0 || theirs == 0
                ? " | |"
                : String.format(Locale.ROOT, "at most %.2f of it | %s |", share, ours <= share * theirs ? "yes" : "no");
        out.printf(Locale.ROOT, "| %s | %.1f | %s %s%n", what, ours, beside, promise);
    }

    // ---- pulls

    /// Each unpacks what it pulls.
    private void pulls(String name) throws Exception {
        var library = new double[PULLS];
        var ours = new double[PULLS];
        var dockers = new double[PULLS];
        var podmans = new double[PULLS];
        for (int i = -1; i < PULLS; i++) { // the first is warm-up
            int at = Math.max(i, 0);
            try (Images images = Images.open(options)) {
                library[at] = timed(() -> pull(images, name));
                forget(images);
            }
            ours[at] = timed(() -> require(List.of(LAUNCHER, "pull", "-q", name)));
            require(List.of(LAUNCHER, "rmi", name));
            if (docker.isPresent()) {
                List<String> pull = docker.get().command(List.of("pull", "-q", name));
                dockers[at] = timed(() -> require(pull));
                require(docker.get().command(List.of("rmi", name)));
            }
            podmans[at] = timed(() -> require(podman.command(List.of("pull", "-q", "--tls-verify=false", name))));
            require(podman.command(List.of("rmi", name)));
        }
        row("pull and unpack in a warm JVM", median(library), "docker pull", median(dockers), 0.8);
        row("", median(library), "podman pull", median(podmans), 0.8);
        row("./caisson pull, which unpacks", median(ours), "docker pull", median(dockers), 0.8);
        row("", median(ours), "podman pull", median(podmans), 0.8);
    }

    private static void pull(Images images, String name) {
        var reference = ImageReference.parse(name);
        var _ = images.pull(reference, RegistryLogins.none(), PullListener.none());
        images.tree(new Image.Named(reference)).close();
    }

    private void sharedBase(String name) throws Exception {
        String above = registry.name("debian:2");
        require(List.of(LAUNCHER, "pull", "-q", name));
        long ours = registry.sent();
        require(List.of(LAUNCHER, "pull", "-q", above));
        ours = registry.sent() - ours;
        require(List.of(LAUNCHER, "rmi", above));
        long theirs = 0;
        if (docker.isPresent()) {
            require(docker.get().command(List.of("pull", "-q", name)));
            long before = registry.sent();
            require(docker.get().command(List.of("pull", "-q", above)));
            theirs = registry.sent() - before;
        }
        row(
                "bytes fetched of an image whose other three layers are there",
                (double) ours,
                "docker",
                (double) theirs,
                0);
    }

    // ---- builds

    private void builds(String base) throws Exception {
        String context = ImageSamples.context(DATA.resolve("context"), base).toString();
        var ours = new double[BUILDS];
        var dockers = new double[BUILDS];
        var podmans = new double[BUILDS];
        List<String> build = List.of("build", "-q", "--network", "none", "-t", "built:1", context);
        List<String> layers = List.of("build", "-q", "--network", "none", "--layers", "-t", "built:1", context);
        require(podman.command(List.of("pull", "-q", "--tls-verify=false", base)));
        boolean hasPodman = run(podman.command(layers)) == 0; // its runtime may be refused limits where this runs
        for (int i = -1; i < BUILDS; i++) { // the first carries the steps out
            int at = Math.max(i, 0);
            var own = new ArrayList<>(List.of(LAUNCHER));
            own.addAll(build);
            ours[at] = timed(() -> require(own));
            if (docker.isPresent()) {
                dockers[at] = timed(() -> require(docker.get().command(build)));
            }
            if (hasPodman) {
                podmans[at] = timed(() -> require(podman.command(layers)));
            }
        }
        row("./caisson build again with no change", median(ours), "docker build", median(dockers), 0.3);
        row(
                "the first " + FIRST_BUILDS + " of these " + BUILDS,
                median(Arrays.copyOf(ours, FIRST_BUILDS)),
                "docker build",
                median(Arrays.copyOf(dockers, FIRST_BUILDS)),
                0.3);
        row("", median(ours), "podman build --layers", median(podmans), 0);
    }

    // ---- launches and forks

    private void launches(Engine engine, String name, Path root) throws Exception {
        ContainerSpec image = ContainerSpec.of(Image.parse(name), "/bin/true");
        ContainerSpec directory = ContainerSpec.of(Image.directory(root), "/bin/true");
        for (int i = 0; i < WARM_UP; i++) {
            run(engine, i % 2 == 0 ? image : directory);
        }
        var ours = new double[PAIRS];
        var theirs = new double[PAIRS];
        var more = new double[PAIRS];
        for (int i = 0; i < PAIRS; i++) {
            if (i % 2 == 0) {
                ours[i] = timed(() -> run(engine, image));
                theirs[i] = timed(() -> run(engine, directory));
            } else {
                theirs[i] = timed(() -> run(engine, directory));
                ours[i] = timed(() -> run(engine, image));
            }
            more[i] = ours[i] - theirs[i];
        }
        double above = median(more);
        out.printf(
                Locale.ROOT,
                "| launch of an image of three layers, warm engine, %d pairs | %.2f | dir: %.2f | %+.2f | at most 1 ms more | %s |%n",
                PAIRS,
                median(ours),
                median(theirs),
                above,
                above <= 1 ? "yes" : "no");
    }

    private static void run(Engine engine, ContainerSpec spec) throws InterruptedException {
        if (!engine.run(spec).isOk()) {
            throw new IllegalStateException("a run failed");
        }
    }

    private void forks(Engine engine, String name) throws Exception {
        ContainerSpec spec = ContainerSpec.of(Image.parse(name))
                .writableLayer(WritableLayer.STANDARD.size(Bytes.of(2L * SNAPSHOT_FILES * SNAPSHOT_FILE)));
        ContainerSpec plain = ContainerSpec.of(Image.parse(name));
        Snapshot snapshot = snapshot(engine, spec);
        Opening fork = () -> engine.fork(snapshot, FORKS);
        Opening launch = () -> launched(engine, plain);
        var forks = new double[FORK_PAIRS];
        var launches = new double[FORK_PAIRS];
        for (int i = -2; i < FORK_PAIRS; i++) { // the first two are warm-up
            int at = Math.max(i, 0);
            boolean isForkFirst = i % 2 == 0;
            double first = opened(isForkFirst ? fork : launch);
            double second = opened(isForkFirst ? launch : fork);
            forks[at] = isForkFirst ? first : second;
            launches[at] = isForkFirst ? second : first;
        }
        row(
                FORKS + " forks of a snapshot of " + (snapshot.bytes() >> 20) + " MiB",
                median(forks),
                FORKS + " launches of its image",
                median(launches),
                1.1);
        engine.snapshots().remove(snapshot.name());
    }

    private static Snapshot snapshot(Engine engine, ContainerSpec spec) throws Exception {
        try (Session box = engine.session(spec)) {
            var content = new byte[SNAPSHOT_FILE];
            for (int i = 0; i < SNAPSHOT_FILES; i++) {
                box.files().write("/srv/file" + i, content);
            }
            return box.snapshot("benchmark");
        }
    }

    private interface Opening {
        List<Session> open() throws Exception;
    }

    private static double opened(Opening opening) throws Exception {
        var sessions = new ArrayList<Session>();
        double millis = timed(() -> sessions.addAll(opening.open()));
        sessions.forEach(Session::close);
        return millis;
    }

    /// Opens as many at once as a fork does.
    private static List<Session> launched(Engine engine, ContainerSpec spec) throws Exception {
        var turn = new Semaphore(FORKS_AT_ONCE);
        var opened = new ArrayList<Future<Session>>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < FORKS; i++) {
                opened.add(threads.submit(() -> {
                    turn.acquire();
                    try {
                        return engine.session(spec);
                    } finally {
                        turn.release();
                    }
                }));
            }
        }
        var sessions = new ArrayList<Session>();
        for (Future<Session> one : opened) {
            sessions.add(one.get());
        }
        return sessions;
    }

    // ---- a large layer

    private void large(String name) throws Exception {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=dev.caisson.linux",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-p",
                System.getProperty("jdk.module.path"),
                "-m",
                "dev.caisson.benchmarks/" + PullOnce.class.getName(),
                STATE.toString(),
                DATA.resolve("large").toString(),
                name);
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        boolean isOk = process.waitFor() == 0;
        out.println();
        out.println("A layer of " + (LARGE >> 20) + " MiB, pulled and unpacked: " + (isOk ? said.strip() : "failed"));
    }

    // ---- time

    private interface Act {
        void run() throws Exception;
    }

    /// Returns milliseconds.
    private static double timed(Act act) throws Exception {
        long before = System.nanoTime();
        act.run();
        return (System.nanoTime() - before) / 1e6;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void require(List<String> command) throws IOException, InterruptedException {
        int status = run(command);
        if (status != 0) {
            throw new IOException(String.join(" ", command) + ": status " + status + ": "
                    + Files.readString(DATA.resolve("commands.log")).strip());
        }
    }

    private static int run(List<String> command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(DATA.resolve("commands.log").toFile())
                .start()
                .waitFor();
    }
}
