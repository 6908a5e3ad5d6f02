package dev.caisson.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Prints how long commands take that a resident engine runs, beside the same commands with a JVM of their own and
/// beside docker's.
public final class Commands {
    private static final int CONTAINERS = 200;
    private static final int RUNS = 2000;
    private static final long WARM_UP_MILLIS = 10_000;
    private static final String NAME = "caisson-benchmark-";
    private static final String LAUNCHER = "./caisson";

    /// The medians of one run in ms; 0 where there is none.
    record Medians(double run, double dockerRun, double list, double dockerList) {}

    private final PrintStream out = System.out;
    private final Peers peers;
    private final Bundle bundle;
    private final int containers;

    private Commands(Bundle bundle, int containers) {
        this.bundle = bundle;
        this.peers = new Peers(bundle);
        this.containers = containers;
    }

    public static void main(String[] arguments) throws Exception {
        int containers = CONTAINERS;
        if (arguments.length == 2 && arguments[0].equals("--containers")) {
            containers = Integer.parseInt(arguments[1]);
        } else if (arguments.length > 0) {
            throw new IllegalArgumentException("usage: benchmarks/commands [--containers COUNT]");
        }
        Path data = Path.of("/var/lib/caisson-benchmark");
        Path directory = Files.createDirectories(data.resolve("bundle"));
        try {
            Medians _ = new Commands(Bundle.make(directory), containers).beside(data.resolve("docker"));
        } finally {
            Launches.remove(data);
        }
    }

    /// Measures, and prints its own table too.
    static Medians medians(Bundle bundle, Path directory) throws IOException, InterruptedException {
        return new Commands(bundle, CONTAINERS).beside(directory);
    }

    private Medians beside(Path directory) throws IOException, InterruptedException {
        double[] runs;
        double[] lists;
        out.println("Load before: " + Launches.load());
        Process serve = new ProcessBuilder(LAUNCHER, "serve").start();
        Optional<DockerDaemon> docker = Optional.empty();
        try {
            out.println(serve.errorReader().readLine());
            Thread.sleep(WARM_UP_MILLIS);
            docker = DockerDaemon.start(directory, bundle);
            out.println(Times.header("docker"));
            runs = runs(docker);
            lists = lists(docker);
        } finally {
            for (int i = 0; i < containers; i++) {
                remove(NAME + i, docker);
            }
            serve.destroy();
            serve.waitFor(60, TimeUnit.SECONDS);
            if (docker.isPresent()) {
                docker.get().stop();
            }
        }
        out.println("Load after: " + Launches.load());
        return new Medians(runs[0], runs[1], lists[0], lists[1]);
    }

    /// @return the medians of ours and of docker's
    private double[] runs(Optional<DockerDaemon> docker) throws IOException, InterruptedException {
        double theirs = docker.isEmpty()
                ? 0
                : row(
                        new Peers.Peer(
                                "docker run --rm --network none IMAGE true",
                                40,
                                docker.get().run()),
                        0);
        double ours = row(ours("run --rm host true", 4, "run", "--rm", "host", "true"), theirs);
        double _ = row(alone("run --rm host true", "run", "--rm", "host", "true"), theirs);
        return new double[] {ours, theirs};
    }

    private double[] lists(Optional<DockerDaemon> docker) throws IOException, InterruptedException {
        int made = 0;
        int theirMade = 0;
        while (made < containers
                && quietly(
                        LAUNCHER,
                        "run",
                        "-d",
                        "--name",
                        NAME + made,
                        "--network",
                        "none",
                        "dir:" + bundle.root(),
                        "/bin/busybox",
                        "sleep",
                        "3600")) {
            made++;
        }
        while (docker.isPresent() && theirMade < containers && docker.get().startIdle(NAME + theirMade)) {
            theirMade++;
        }
        String of = " with " + made + " containers";
        double theirs = theirMade == 0
                ? 0
                : row(
                        new Peers.Peer(
                                "docker ps with " + theirMade + " containers",
                                20,
                                docker.orElseThrow().list()),
                        0);
        double ours = row(ours("ps" + of, 4, "ps"), theirs);
        double _ = row(alone("ps" + of, "ps"), theirs);
        return new double[] {ours, theirs};
    }

    private void remove(String name, Optional<DockerDaemon> docker) throws IOException, InterruptedException {
        boolean _ = quietly(LAUNCHER, "rm", "-f", name);
        if (docker.isPresent()) {
            docker.get().remove(name);
        }
    }

    private static Peers.Peer ours(String name, int fewer, String... words) {
        var command = new ArrayList<>(List.of(LAUNCHER));
        command.addAll(List.of(words));
        return new Peers.Peer("./caisson " + name + ", resident engine", fewer, true, command);
    }

    private static Peers.Peer alone(String name, String... words) {
        var command = new ArrayList<>(List.of("env", "CAISSON_SERVE=off", LAUNCHER));
        command.addAll(List.of(words));
        return new Peers.Peer("./caisson " + name + ", a JVM of its own", 40, true, command);
    }

    /// @return its median
    private double row(Peers.Peer peer, double theirs) throws IOException, InterruptedException {
        Peers.Outcome outcome = peers.time(peer, RUNS);
        if (outcome.times().isEmpty()) {
            out.println("| " + outcome.name() + " | left out: " + outcome.reason() + " | | | | | | |");
            return 0;
        }
        out.println(outcome.times().get().row(theirs));
        return outcome.times().get().p50();
    }

    private static boolean quietly(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }
}
