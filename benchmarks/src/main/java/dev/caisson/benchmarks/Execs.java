package dev.caisson.benchmarks;

import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Exec;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Prints how long one more program in a container that runs takes: in a warm engine, beside other runtimes.
public final class Execs {
    private static final int WARM_UP = 4_000;
    private static final int MEASURED = 400;
    private static final String CRUN = "crun exec";
    private static final String DOCKERS = "docker exec";
    private static final String IDLE = "caisson-benchmark-idle";

    /// The medians of one run in ms; 0 where there is none.
    record Medians(double ours, double crun, double docker) {}

    private final PrintStream out;
    private final Container box;

    private Execs(Container box, PrintStream out) {
        this.box = box;
        this.out = out;
    }

    /// Measures without printing.
    static Medians medians(Bundle bundle, Path data) throws IOException, InterruptedException {
        try (Engine engine = Engine.open(new EngineOptions(Path.of("/dev/shm/caisson-benchmark"), data));
                Container box = engine.start(idle(bundle), Streams.capture())) {
            var execs = new Execs(box, new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
            Times _ = execs.time(WARM_UP);
            var rows = new ArrayList<Times>();
            double crun = execs.ofCrun(bundle.idle(data.resolve("idle")), rows);
            double ours = execs.time(MEASURED).p50();
            rows.clear();
            execs.ofDocker(bundle, data.resolve("docker"), rows);
            return new Medians(ours, crun, rows.isEmpty() ? 0 : rows.getFirst().p50());
        }
    }

    private static ContainerSpec idle(Bundle bundle) {
        return ContainerSpec.of(Image.directory(bundle.root()), "/bin/busybox", "sleep", "600");
    }

    public static void main(String[] arguments) throws Exception {
        Path data = Path.of("/var/lib/caisson-benchmark");
        Path directory = Files.createDirectories(data.resolve("bundle"));
        Launches.remove(directory);
        Files.createDirectories(directory);
        Bundle bundle = Bundle.make(directory);
        try (Engine engine = Engine.open(new EngineOptions(Path.of("/dev/shm/caisson-benchmark"), data));
                Container box = engine.start(idle(bundle), Streams.capture())) {
            new Execs(box, System.out).beside(bundle, data);
        } finally {
            Launches.remove(data);
        }
    }

    private void beside(Bundle bundle, Path data) throws IOException, InterruptedException {
        Times _ = time(WARM_UP);
        out.println("Load before: " + Launches.load());
        var rows = new ArrayList<Times>(List.of(time(MEASURED)));
        double crun = ofCrun(bundle.idle(data.resolve("idle")), rows);
        rows.add(time(MEASURED));
        ofDocker(bundle, data.resolve("docker"), rows);
        rows.add(time(MEASURED));
        out.println("Load after: " + Launches.load());
        out.println();
        out.println(Times.header("crun").replace("launches", "programs"));
        rows.forEach(row -> out.println(row.row(crun)));
    }

    /// @return the median, 0 where there is none
    private double ofCrun(Bundle idle, List<Times> rows) throws IOException, InterruptedException {
        String id = IDLE + ProcessHandle.current().pid();
        String directory = idle.directory().toString();
        run(Peers.inNamespace(List.of("crun", "run", "--detach", "--bundle", directory, id)));
        try {
            var exec = new Peers.Peer(CRUN, 1, List.of("crun", "exec", id, "/bin/true"));
            Peers.Outcome outcome = new Peers(idle).time(exec, MEASURED);
            outcome.times().ifPresentOrElse(rows::add, () -> out.println(CRUN + " is left out: " + outcome.reason()));
            return outcome.times().map(Times::p50).orElse(0.0);
        } finally {
            run(Peers.inNamespace(List.of("crun", "delete", "--force", id)));
        }
    }

    private void ofDocker(Bundle bundle, Path directory, List<Times> rows) throws IOException, InterruptedException {
        Optional<DockerDaemon> docker = DockerDaemon.start(directory, bundle);
        if (docker.isEmpty() || !docker.get().startIdle(IDLE)) {
            out.println(DOCKERS + " is left out: no dockerd starts here");
            return;
        }
        try {
            var exec = new Peers.Peer(DOCKERS, 10, docker.get().exec(IDLE));
            Peers.Outcome outcome = new Peers(bundle).time(exec, MEASURED);
            outcome.times()
                    .ifPresentOrElse(rows::add, () -> out.println(DOCKERS + " is left out: " + outcome.reason()));
        } finally {
            docker.get().stop();
        }
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private Times time(int count) throws IOException, InterruptedException {
        Exec program = Exec.of("/bin/true");
        long[] nanos = new long[count];
        long failures = 0;
        double cpu = Footprint.cpuMillis();
        for (int i = 0; i < count; i++) {
            long before = System.nanoTime();
            boolean ok = box.exec(program).isOk();
            nanos[i] = System.nanoTime() - before;
            failures += ok ? 0 : 1;
        }
        return Times.of("Caisson, warm engine", nanos, failures, (Footprint.cpuMillis() - cpu) / count);
    }
}
