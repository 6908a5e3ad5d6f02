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
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Prints how long each step in the life of a container that outlives its command takes: create, start, wait,
/// rm. Ours are calls of the library in a warm engine; docker's and podman's are their commands.
public final class Lifecycle {
    private static final List<String> STEPS = List.of("create", "start", "wait", "rm", "all");
    private static final int LIVES = 100;
    /// Until the JVM has compiled what a life needs.
    private static final int WARM_UP = 1000;
    /// With an engine that is warm but has not lived yet.
    private static final int FIRST = 20;
    private static final int FEWER = 10;
    private static final String NAME = "caisson-benchmark-life";

    private final PrintStream out = System.out;
    private final Bundle bundle;
    private final EngineOptions options;
    private final int lives;

    /// The steps that are measured; each returns when it is done.
    private interface Life {
        void create() throws IOException, InterruptedException;

        void start() throws IOException, InterruptedException;

        void await() throws IOException, InterruptedException;

        void remove() throws IOException, InterruptedException;
    }

    private Lifecycle(Bundle bundle, EngineOptions options, int lives) {
        this.bundle = bundle;
        this.options = options;
        this.lives = lives;
    }

    public static void main(String[] arguments) throws Exception {
        int lives = LIVES;
        if (arguments.length == 2 && arguments[0].equals("--lives")) {
            lives = Integer.parseInt(arguments[1]);
        } else if (arguments.length > 0) {
            throw new IllegalArgumentException("usage: benchmarks/lifecycle [--lives COUNT]");
        }
        Path data = Path.of("/var/lib/caisson-benchmark-life");
        Path directory = Files.createDirectories(data.resolve("bundle"));
        Launches.remove(directory);
        Files.createDirectories(directory);
        try {
            new Lifecycle(
                            Bundle.make(directory),
                            new EngineOptions(Path.of("/dev/shm/caisson-benchmark-life"), data),
                            lives)
                    .beside(data);
        } finally {
            Launches.remove(data);
            Launches.remove(Path.of("/dev/shm/caisson-benchmark-life"));
        }
    }

    /// Measures without printing.
    /// @return the medians of whole lives in ms: ours, and that of docker's commands, 0 if there is no dockerd
    static double[] medians(Bundle bundle, Path data, int lives) throws Exception {
        Path state = Path.of("/dev/shm/caisson-benchmark-life");
        var lifecycle = new Lifecycle(bundle, new EngineOptions(state, data.resolve("lives")), lives);
        double[] medians = new double[2];
        lifecycle.warmUp();
        try (Engine engine = Engine.open(lifecycle.options)) {
            Life ours = lifecycle.ours(engine);
            double[][] _ = times(ours, FIRST);
            medians[0] = median(times(ours, lives)[STEPS.size() - 1]);
        } finally {
            Launches.remove(state);
        }
        Optional<DockerDaemon> docker = DockerDaemon.start(data.resolve("life-docker"), bundle);
        if (docker.isPresent()) {
            try {
                Life theirs = commands(docker.get()::command, DockerDaemon.IMAGE);
                medians[1] = median(times(theirs, lives / FEWER)[STEPS.size() - 1]);
            } finally {
                docker.get().stop();
            }
        }
        return medians;
    }

    /// Lives in memory: before an ext4 without a journal takes an inode it looks at each that was deleted in the last
    /// minutes, so on disk these lives would slow down those that are measured.
    private void warmUp() throws IOException, InterruptedException {
        Path state = Path.of("/dev/shm/caisson-benchmark-warm-up");
        Path data = Path.of("/dev/shm/caisson-benchmark-warm-up-data");
        try (Engine engine = Engine.open(new EngineOptions(state, data))) {
            double[][] _ = times(ours(engine), WARM_UP);
        } finally {
            Launches.remove(data);
            Launches.remove(state);
        }
    }

    private static double median(double[] times) {
        Arrays.sort(times);
        return times[times.length / 2];
    }

    private void beside(Path data) throws Exception {
        out.println("Load before: " + Launches.load());
        out.println();
        out.println("| p50 in ms | " + String.join(" | ", STEPS) + " |");
        out.println("|---|--:|--:|--:|--:|--:|");
        warmUp();
        try (Engine engine = Engine.open(options)) {
            Life ours = ours(engine);
            double[][] _ = times(ours, FIRST);
            print("Caisson, warm engine", ours, lives);
        }
        Optional<DockerDaemon> docker = DockerDaemon.start(data.resolve("docker"), bundle);
        if (docker.isPresent()) {
            try {
                print("docker's commands", commands(docker.get()::command, DockerDaemon.IMAGE), lives / FEWER);
            } finally {
                docker.get().stop();
            }
        } else {
            out.println("docker is left out: no dockerd starts here");
        }
        podman(data.resolve("podman"));
        out.println();
        out.println("Load after: " + Launches.load());
    }

    private void podman(Path directory) throws IOException, InterruptedException {
        Life life = commands(
                new Podman(directory)::command, "--rootfs", bundle.root().toString());
        try {
            print("podman's commands", life, lives / FEWER);
        } catch (IllegalStateException e) {
            out.println("podman is left out: " + e.getMessage());
        }
    }

    private void print(String who, Life life, int count) throws IOException, InterruptedException {
        var row = new StringBuilder("| " + who);
        for (double[] step : times(life, count)) {
            row.append(String.format(Locale.ROOT, " | %.2f", median(step)));
        }
        out.println(row + " |");
    }

    /// Returns the times of each step, and of all together.
    private static double[][] times(Life life, int count) throws IOException, InterruptedException {
        double[][] millis = new double[STEPS.size()][Math.max(1, count)];
        for (int i = 0; i < millis[0].length; i++) {
            double[] one = measure(life);
            for (int step = 0; step < one.length; step++) {
                millis[step][i] = one[step];
            }
        }
        return millis;
    }

    private static double[] measure(Life life) throws IOException, InterruptedException {
        long[] times = new long[STEPS.size()];
        times[0] = System.nanoTime();
        life.create();
        times[1] = System.nanoTime();
        life.start();
        times[2] = System.nanoTime();
        life.await();
        times[3] = System.nanoTime();
        life.remove();
        times[4] = System.nanoTime();
        double[] millis = new double[STEPS.size()];
        for (int i = 0; i < STEPS.size() - 1; i++) {
            millis[i] = (times[i + 1] - times[i]) / 1e6;
        }
        millis[STEPS.size() - 1] = (times[4] - times[0]) / 1e6;
        return millis;
    }

    private Life ours(Engine engine) {
        return new Life() {
            private Optional<DetachedContainer> made = Optional.empty();

            @Override
            public void create() throws InterruptedException {
                ContainerSpec spec = ContainerSpec.of(Image.directory(bundle.root()), "/bin/true")
                        .name(NAME);
                made = Optional.of(engine.create(spec, DetachedOptions.STANDARD));
            }

            @Override
            public void start() throws InterruptedException {
                made.orElseThrow().start();
            }

            @Override
            public void await() throws InterruptedException {
                Optional<?> _ = made.orElseThrow().await();
            }

            @Override
            public void remove() throws InterruptedException {
                made.orElseThrow().remove(false);
            }
        };
    }

    /// Makes a command of its words.
    private interface Client {
        List<String> command(List<String> words);
    }

    private static Life commands(Client client, String... image) {
        return new Life() {
            @Override
            public void create() throws IOException, InterruptedException {
                var words = new ArrayList<>(List.of("create", "--network", "none", "--name", NAME));
                words.addAll(List.of(image));
                words.add("/bin/true");
                run(client.command(words));
            }

            @Override
            public void start() throws IOException, InterruptedException {
                run(client.command(List.of("start", NAME)));
            }

            @Override
            public void await() throws IOException, InterruptedException {
                run(client.command(List.of("wait", NAME)));
            }

            @Override
            public void remove() throws IOException, InterruptedException {
                run(client.command(List.of("rm", NAME)));
            }
        };
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
            throw new IllegalStateException("status " + status + ", " + said.strip());
        }
    }
}
