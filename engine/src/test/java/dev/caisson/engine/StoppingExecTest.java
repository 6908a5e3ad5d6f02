package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.State;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// An exec that comes while its container ends has one outcome: its program's end, or a coded error. Nobody waits
/// without end, and nothing is left.
@Tag("root")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class StoppingExecTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("stopping"), OwnDirectories.data("stopping"));
    private static final int ROUNDS = 40;
    /// The rounds try moments this far from each other.
    private static final long STEP_MICROS = 700;

    private static final Set<Verdict> ENDS = EnumSet.of(Verdict.OK, Verdict.EXIT, Verdict.SIGNAL, Verdict.KILLED);
    /// What an exec may be told of a container that ends.
    private static final Set<String> REFUSALS = Set.of(
            "CONTAINER_NOT_RUNNING", "CONTAINER_UNKNOWN", "CONTAINER_ENDED", "CONTAINER_DEAD", "CONTAINER_PAUSED");

    /// What ends the container, or holds it up.
    enum Act {
        STOP {
            @Override
            void on(DetachedContainer container) throws InterruptedException {
                container.stop(OptionalInt.empty(), Optional.of(Duration.ofSeconds(5)));
            }
        },
        KILL {
            @Override
            void on(DetachedContainer container) throws InterruptedException {
                container.stop(OptionalInt.of(9), Optional.of(Duration.ofSeconds(5)));
            }
        },
        REMOVE {
            @Override
            void on(DetachedContainer container) throws InterruptedException {
                container.remove(true);
            }
        },
        PAUSE {
            @Override
            void on(DetachedContainer container) throws InterruptedException {
                container.pause();
                Thread.sleep(5);
                container.resume();
            }
        };

        abstract void on(DetachedContainer container) throws InterruptedException;
    }

    @AfterEach
    void removeAll() throws Exception {
        for (DetachedContainer container : DetachedContainer.all(OPTIONS)) {
            container.remove(true);
        }
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    private static DetachedContainer running(Engine engine) throws InterruptedException {
        Optional<DetachedContainer> found = DetachedContainer.find("one", OPTIONS);
        DetachedContainer one = found.isPresent()
                ? found.get()
                : engine.create(
                        ContainerSpec.onHost(
                                        "sh", "-c", "trap 'sleep 0.01; exit' TERM; while :; do sleep 1 & wait; done")
                                .name("one"),
                        DetachedOptions.STANDARD);
        if (!one.state().isUp()) {
            one.start();
        }
        return one;
    }

    @ParameterizedTest
    @EnumSource
    void it_has_one_outcome_whenever_it_comes(Act act) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            for (int round = 0; round < ROUNDS; round++) {
                DetachedContainer one = running(engine);
                var ending = CompletableFuture.runAsync(() -> {
                    try {
                        act.on(one);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
                TimeUnit.MICROSECONDS.sleep(round * STEP_MICROS);

                String outcome = outcome(engine);

                assertThat(ENDS.stream().map(Verdict::name).anyMatch(outcome::equals) || REFUSALS.contains(outcome))
                        .as(act + " " + round + ": " + outcome)
                        .isTrue();
                ending.get(20, TimeUnit.SECONDS);
            }
        }
    }

    private static String outcome(Engine engine) throws InterruptedException {
        try (RunningExec exec =
                engine.startExec("one", Exec.of("sh", "-c", "sleep 0.005; exit 3"), Streams.capture())) {
            Optional<ExecResult> result = exec.await(Duration.ofSeconds(20));
            return result.map(end -> end.verdict().name()).orElse("NONE");
        } catch (CaissonException e) {
            return e.code();
        }
    }
}
