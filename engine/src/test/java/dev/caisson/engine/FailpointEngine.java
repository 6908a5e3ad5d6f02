package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.TerminalSize;
import dev.caisson.state.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/// A process whose launches stand still at given points and say so, so that a test can end it there.
final class FailpointEngine {
    /// Where one launch stands still.
    sealed interface Point {
        record At(Moment moment) implements Point {}

        /// Init waits in front of a step of the plan.
        record Step(int index) implements Point {}

        /// The container's group is made in one hierarchy of several.
        record HalfGroup() implements Point {}

        /// The zygote has been sent a launch and has not looked at it: it is stopped.
        record Asked() implements Point {}

        /// How many launches of one engine it takes to come there.
        default int launches() {
            return this instanceof At at && at.moment() == Moment.NEXT_ASKED ? 2 : 1;
        }

        default String text() {
            return switch (this) {
                case At at -> at.moment().name();
                case Step step -> Integer.toString(step.index());
                case HalfGroup _ -> "HALF_GROUP";
                case Asked _ -> "ASKED";
            };
        }

        static Point parse(String text) {
            return switch (text) {
                case "HALF_GROUP" -> new HalfGroup();
                case "ASKED" -> new Asked();
                default ->
                    Character.isDigit(text.charAt(0)) ? new Step(Integer.parseInt(text)) : new At(Moment.valueOf(text));
            };
        }
    }

    /// The point of the launch that the thread carries out, which the engine makes for it. Other threads work for all
    /// launches.
    private static final ThreadLocal<Point> MINE = new InheritableThreadLocal<>();

    private FailpointEngine() {}

    /// What each launch is of: as many kinds of steps as fit into one plan.
    static ContainerSpec spec(Path root) {
        return ContainerSpec.of(Image.directory(root), "true")
                .hostName("box")
                .readOnlyRoot(true)
                .terminal(new TerminalSize(24, 80))
                .workingDirectory("/srv")
                .sysctl("net.ipv4.ip_forward", "1")
                .oomScoreAdjustment(1000)
                .mount(new Mount.Bind(root.resolveSibling("volume"), InRootPath.parse("/volume"), false, false))
                .mount(new Mount.Tmpfs(InRootPath.parse("/scratch"), Bytes.mebibytes(1), 01777, true, true));
    }

    /// Arguments: state, data and root directory, then a point for each launch. All launches are of one engine and go
    /// on side by side; where one is not enough to come to a point, more come before it.
    public static void main(String[] arguments) throws InterruptedException {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        List<Point> points = Arrays.stream(arguments).skip(3).map(Point::parse).toList();
        var probe = new StandingStill(options, points.getFirst());
        try (var engine = new Engine(options, probe)) {
            var threads = points.stream()
                    .map(point -> new EngineThreads.Launching(() -> {
                        MINE.set(point);
                        for (int i = 0; i < point.launches(); i++) {
                            run(engine, spec(Path.of(arguments[2])));
                        }
                    }))
                    .toList();
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        System.out.println("passed every point");
    }

    private static void run(Engine engine, ContainerSpec spec) {
        try {
            engine.run(spec);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class StandingStill implements Probe {
        private final EngineOptions options;
        private final Point first;

        StandingStill(EngineOptions options, Point first) {
            this.options = options;
            this.first = first;
        }

        @Override
        public void reached(Moment moment) {
            switch (MINE.get()) {
                case null -> {
                    // The reactor tells of an init that waits behind READY.
                    if (moment == Moment.INIT_PAUSED || first.equals(new Point.At(moment))) {
                        standStill(first);
                    }
                }
                case Point.At at when at.moment() == moment -> standStill(at);
                case Point.Step step when moment == Moment.INIT_PAUSED -> standStill(step);
                case Point.HalfGroup half
                when moment == Moment.NAME_TAKEN -> {
                    makeHalfAGroup();
                    standStill(half);
                }
                case Point.Asked asked
                when moment == Moment.LAYERS_OPEN -> {
                    Thread launching = Thread.currentThread();
                    stopZygote();
                    Thread.ofPlatform().daemon().start(() -> {
                        awaitReceive(launching);
                        standStill(asked);
                    });
                }
                default -> {}
            }
        }

        @Override
        public OptionalInt pauseBefore() {
            return MINE.get() instanceof Point.Step step ? OptionalInt.of(step.index()) : OptionalInt.empty();
        }

        private static void standStill(Point point) {
            System.out.println(point.text());
            while (true) {
                try {
                    Thread.sleep(Long.MAX_VALUE);
                } catch (InterruptedException e) {
                    // Nothing but the end of the process goes on from here.
                }
            }
        }

        /// As the engine makes it first in one of several trees.
        private void makeHalfAGroup() {
            try (Hierarchy hierarchy = Hierarchy.detect();
                    Stream<Path> files = Files.walk(options.state())) {
                String id = files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".json"))
                        .map(name -> name.substring(0, name.length() - ".json".length()))
                        .findFirst()
                        .orElseThrow();
                Path tree = Path.of("/sys/fs/cgroup", hierarchy.world() == Hierarchy.World.V2 ? "" : "pids");
                Files.createDirectories(
                        tree.resolve(State.cgroupParent(options.state())).resolve(id));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void stopZygote() {
            ProcessHandle zygote = ProcessHandle.current()
                    .children()
                    .filter(FailpointEngine::isZygote)
                    .findFirst()
                    .orElseThrow();
            signal("STOP", zygote.pid());
        }

        private static void awaitReceive(Thread thread) {
            while (Arrays.stream(thread.getStackTrace())
                    .noneMatch(frame -> frame.getClassName().endsWith(".Sockets")
                            && frame.getMethodName().equals("receive"))) {
                Thread.onSpinWait();
            }
        }
    }

    static boolean isZygote(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"))
                    .equals("caisson-init\0zygote\0");
        } catch (IOException e) {
            return false;
        }
    }

    static void signal(String name, long pid) {
        try {
            int status = new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                    .inheritIO()
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IllegalStateException("kill: " + status);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
