package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Probe.Moment;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.LaunchException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
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
            new EngineOptions(Path.of("/run/caisson-test-failed"), Path.of("/var/lib/caisson-test-failed"));

    @TempDir
    Path directory;

    private final Failing probe = new Failing();
    private Engine engine;
    private Path volume;
    private ContainerSpec spec;

    @BeforeEach
    void open() throws Exception {
        Path root = BusyboxEngine.makeRoot(directory.resolve("root"));
        volume = Files.createDirectory(directory.resolve("volume"));
        spec = FailpointEngine.spec(root);
        engine = new Engine(OPTIONS, probe);
        assertThat(engine.run(spec).verdict()).isEqualTo(Verdict.OK);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {
                "RANGE_TAKEN",
                "NAME_TAKEN",
                "GROUP_MADE",
                "CHILD_ASKED",
                "STREAMS_OPEN",
                "LAYERS_OPEN",
                "INIT_READY",
                "VERIFIED"
            })
    void between_two_acts_of_the_engine(Moment moment) throws Exception {
        Traces before = Traces.of(OPTIONS);
        probe.act = reached -> {
            if (reached == moment) {
                throw new IllegalStateException("fails at " + moment);
            }
        };

        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> engine.run(spec)).hasMessage("fails at " + moment);
        }

        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
        probe.act = _ -> {};
        assertThat(engine.run(spec).verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void a_volume_that_goes_away() throws Exception {
        Traces before = Traces.of(OPTIONS);
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

        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
        probe.act = _ -> {};
        Files.move(hidden, volume);
        assertThat(engine.run(spec).verdict()).isEqualTo(Verdict.OK);
    }

    private static final class Failing implements Probe {
        interface Act {
            void at(Moment moment) throws Exception;
        }

        volatile Act act = _ -> {};

        @Override
        public void reached(Moment moment) {
            try {
                act.at(moment);
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public OptionalInt pauseBefore() {
            return OptionalInt.empty();
        }
    }
}
