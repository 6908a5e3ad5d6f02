package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Probe.Moment;
import dev.caisson.launch.LaunchException;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A launch that fails between two of the engine's acts leaves nothing of itself, and the engine goes on.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FailedLaunchTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("failed"), OwnDirectories.data("failed"));

    @TempDir
    Path directory;

    private final Failing probe = new Failing();
    private Path volume;
    private ContainerSpec spec;

    @BeforeEach
    void makeRoot() throws Exception {
        Path root = BusyboxEngine.makeRoot(directory.resolve("root"));
        volume = Files.createDirectory(directory.resolve("volume"));
        spec = FailpointEngine.spec(root);
    }

    /// @param launches that go well first: behind the second one, the next has begun before it is asked for
    private Engine engineAfter(int launches) throws InterruptedException {
        var engine = new Engine(OPTIONS, probe);
        for (int i = 0; i < launches; i++) {
            assertThat(engine.run(spec).verdict()).isEqualTo(Verdict.OK);
        }
        return engine;
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {
                "RANGE_TAKEN",
                "NAME_TAKEN",
                "GROUP_MADE",
                "CHILD_ASKED",
                "LAYERS_OPEN",
                "STREAMS_OPEN",
                "INIT_READY",
                "VERIFIED"
            })
    void of_an_engine_that_has_nothing_ready(Moment moment) throws Exception {
        Traces usual;
        try (Engine _ = engineAfter(2)) {
            usual = Traces.settled(OPTIONS);
        }
        try (Engine engine = engineAfter(1)) {
            assertLeavesNothing(engine, moment, 1, usual);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"CHILD_ASKED", "LAYERS_OPEN", "GROUP_MADE", "STREAMS_OPEN", "INIT_READY", "VERIFIED"})
    void of_an_engine_that_has_the_next_one_ready(Moment moment) throws Exception {
        try (Engine engine = engineAfter(2)) {
            assertLeavesNothing(engine, moment, 3, Traces.settled(OPTIONS));
        }
    }

    /// @param usual traces of an engine that has the next one ready
    private void assertLeavesNothing(Engine engine, Moment moment, int times, Traces usual) throws Exception {
        for (int i = 0; i < times; i++) {
            boolean byError = i == 1;
            probe.act = reached -> {
                if (reached == moment) {
                    throw byError
                            ? new LinkageError("fails at " + moment)
                            : new IllegalStateException("fails at " + moment);
                }
            };

            assertThatThrownBy(() -> engine.run(spec)).hasStackTraceContaining("fails at " + moment);
        }

        probe.act = _ -> {};
        assertThat(engine.run(spec).verdict()).isEqualTo(Verdict.OK);
        assertThat(Traces.awaited(OPTIONS, usual)).isEqualTo(usual);
    }

    @Test
    void a_volume_that_goes_away() throws Exception {
        try (Engine engine = engineAfter(2)) {
            Traces before = Traces.settled(OPTIONS);
            Path hidden = directory.resolve("hidden");
            probe.act = reached -> {
                if (reached == Moment.CHILD_ASKED) {
                    Files.move(volume, hidden);
                }
            };

            assertThatThrownBy(() -> engine.run(spec))
                    .isInstanceOfSatisfying(
                            LaunchException.class,
                            e -> assertThat(e.code()).as(e.getMessage()).isEqualTo("MOUNT_SOURCE"));

            assertThat(Traces.awaited(OPTIONS, before)).isEqualTo(before);
            probe.act = _ -> {};
            Files.move(hidden, volume);
            assertThat(engine.run(spec).verdict()).isEqualTo(Verdict.OK);
        }
    }

    private static final class Failing implements Probe {
        interface Act {
            void at(Moment moment) throws Throwable;
        }

        volatile Act act = _ -> {};

        @Override
        public void reached(Moment moment) {
            try {
                act.at(moment);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public OptionalInt pauseBefore() {
            return OptionalInt.empty();
        }
    }
}
