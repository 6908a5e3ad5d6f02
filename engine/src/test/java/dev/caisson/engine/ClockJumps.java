package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.LogReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/// Sets the clock of the machine that [ClockJumpTest] starts a day on and two days back, while each deadline of a
/// container runs. None of them may end early, late or never.
final class ClockJumps {
    static final String HELD = "held";
    private static final long DAY = TimeUnit.DAYS.toSeconds(1);
    /// Longer than the machine takes to set its clock.
    private static final Duration DEADLINE = Duration.ofSeconds(4);
    /// Much longer than any of the deadlines, and much shorter than a jump.
    private static final Duration SOON = Duration.ofSeconds(30);

    private final Engine engine;
    private final EngineOptions options;
    private final Image image;

    private ClockJumps(Engine engine, EngineOptions options, Image image) {
        this.engine = engine;
        this.options = options;
        this.image = image;
    }

    public static void main(String[] arguments) throws Exception {
        Path disk = Path.of("/disk");
        Image image = Image.directory(BusyboxEngine.makeRoot(disk.resolve("root")));
        var options = new EngineOptions(Path.of("/run/caisson"), disk.resolve("data"));
        try (var engine = Engine.open(options)) {
            var jumps = new ClockJumps(engine, options, image);
            for (long seconds : List.of(DAY, -2 * DAY)) {
                jumps.aRunEndsAtItsDeadline(seconds);
                jumps.anExecEndsAtItsDeadline(seconds);
                jumps.aLeaseEndsWhenItIsOver(seconds);
                jumps.healthChecksAndRestartsGoOn(seconds);
                jumps.aStopKillsAfterItsTimeout(seconds);
            }
        }
        System.out.println(HELD);
    }

    private static void jump(long seconds) throws Exception {
        Instant now = Instant.now();
        Process set = new ProcessBuilder(
                        "date", "-s", "@" + now.plusSeconds(seconds).getEpochSecond())
                .redirectErrorStream(true)
                .start();
        String said = new String(set.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(set.waitFor()).as(said).isZero();
        assertThat(Duration.between(now, Instant.now()).abs()).isGreaterThan(Duration.ofHours(12));
    }

    private static Thread jumpMeanwhile(long seconds) {
        return Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(500);
                jump(seconds);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private ContainerSpec shell(String script) {
        return ContainerSpec.of(image, "sh", "-c", script);
    }

    private DetachedContainer started(String script, DetachedOptions wanted) throws Exception {
        DetachedContainer made = engine.create(shell(script), wanted);
        made.start();
        return made;
    }

    private static Duration timed(Callable<?> act) throws Exception {
        long begun = System.nanoTime();
        act.call();
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long begun = System.nanoTime();
        while (!condition.call()) {
            assertThat(System.nanoTime() - begun).as(what).isLessThan(SOON.toNanos());
            Thread.sleep(50);
        }
    }

    private void aRunEndsAtItsDeadline(long seconds) throws Exception {
        Container run = engine.start(shell("exec sleep 1000").wallClock(DEADLINE), Streams.capture());
        jump(seconds);
        RunResult result = run.await();
        assertThat(result.verdict()).isEqualTo(Verdict.WALL_CLOCK);
        assertThat(result.wallClock()).isBetween(DEADLINE, SOON);
    }

    private void anExecEndsAtItsDeadline(long seconds) throws Exception {
        try (Session session = engine.session(ContainerSpec.of(image))) {
            Thread jumper = jumpMeanwhile(seconds);
            ExecResult result = session.exec(Exec.of("sleep", "1000").timeout(DEADLINE));
            jumper.join();
            assertThat(result.verdict()).isEqualTo(Verdict.WALL_CLOCK);
            assertThat(result.wallClock()).isBetween(DEADLINE, SOON);
        }
    }

    private void aLeaseEndsWhenItIsOver(long seconds) throws Exception {
        DetachedContainer longer = started("exec sleep 1000", DetachedOptions.STANDARD.lease(Duration.ofHours(1)));
        DetachedContainer shorter = started("exec sleep 1000", DetachedOptions.STANDARD.lease(DEADLINE));
        jump(seconds);
        assertThat(isGone(shorter)).isTrue();
        assertThat(longer.state()).isInstanceOf(ContainerState.Running.class);
        longer.renew(Duration.ofSeconds(1));
        assertThat(isGone(longer)).isTrue();
    }

    private boolean isGone(DetachedContainer leased) throws Exception {
        leased.await(SOON);
        Leftovers.clear(options);
        return DetachedContainer.find(leased.id().value(), options).isEmpty();
    }

    private void healthChecksAndRestartsGoOn(long seconds) throws Exception {
        HealthCheck check = HealthCheck.shell("test -e /tmp/well")
                .interval(Duration.ofMillis(300))
                .retries(2);
        DetachedContainer checked = started("exec sleep 1000", DetachedOptions.STANDARD.health(check));
        DetachedContainer restarted =
                started("sleep 0.2; exit 1", DetachedOptions.STANDARD.restart(RestartPolicy.parse("on-failure")));
        await("a health check", () -> !checked.health().probes().isEmpty());
        jump(seconds);
        int before = restarted.restarts();
        await("the next restarts", () -> restarted.restarts() >= before + 2);
        await("a failed health", () -> checked.state().health() == HealthReport.Health.UNHEALTHY);
        restarted.remove(true);
        checked.remove(true);
    }

    private static boolean hasPrinted(DetachedContainer container) throws InterruptedException {
        try (LogReader log = container.log(OptionalLong.empty())) {
            return !log.next().isEmpty();
        }
    }

    private void aStopKillsAfterItsTimeout(long seconds) throws Exception {
        DetachedContainer deaf =
                started("trap '' TERM; echo deaf; while :; do sleep 0.1; done", DetachedOptions.STANDARD);
        await("a program that ignores its signal", () -> hasPrinted(deaf));
        Thread jumper = jumpMeanwhile(seconds);
        Duration took = timed(() -> {
            deaf.stop(OptionalInt.empty(), Optional.of(DEADLINE));
            return deaf.await();
        });
        jumper.join();
        assertThat(took).isBetween(DEADLINE, SOON);
        deaf.remove(true);
    }
}
