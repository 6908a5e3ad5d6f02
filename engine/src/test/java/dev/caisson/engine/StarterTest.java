package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is left of a start that fails: its name, its thread's interrupt, its container.
@Tag("root")
@Timeout(60)
class StarterTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("starter"), OwnDirectories.data("starter"));
    private static final ContainerSpec SPEC =
            ContainerSpec.of(Image.host(), "sleep", "60").name("again");

    private final FailingAt probe = new FailingAt();
    private Engine engine;

    @BeforeEach
    void open() {
        engine = new Engine(OPTIONS, probe);
    }

    @AfterEach
    void close() throws IOException {
        engine.close();
        BusyboxEngine.removeTree(OPTIONS.state());
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"CHILD_ASKED", "GROUP_MADE", "STREAMS_OPEN", "VERIFIED", "WATCHED", "STARTED"})
    void the_name_of_one_that_fails_is_free_again(Moment moment) throws Exception {
        for (boolean byError : new boolean[] {false, true}) {
            probe.moment = moment;
            probe.byError = byError;
            assertThatThrownBy(() -> engine.start(SPEC, Streams.capture())).hasStackTraceContaining("fails at");
            probe.moment = null;
            assertThat(engine.containers()).isEmpty();
            Container next = engine.start(SPEC, Streams.capture());
            next.kill();
            next.await();
        }
    }

    /// Thrown by an observer of a launch that another observer makes, in one thread.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_thread_that_was_interrupted_while_its_container_is_removed_stays_so(boolean interrupted) throws Exception {
        var found = new AtomicBoolean(!interrupted);
        Container outer = engine.start(
                SPEC.name("outer"), Streams.capture(), ProgressListener.none(), _ -> {
                    var failure = new IllegalStateException("the observer's");
                    assertThatThrownBy(() -> engine.start(
                                    SPEC, Streams.capture(), ProgressListener.none(), _ -> {
                                        if (interrupted) {
                                            Thread.currentThread().interrupt();
                                        }
                                        throw failure;
                                    }))
                            .isSameAs(failure);
                    found.set(Thread.interrupted());
                });
        assertThat(found.get()).isEqualTo(interrupted);
        assertThat(engine.containers()).hasSize(1);
        outer.kill();
        outer.await();
    }

    private static final class FailingAt implements Probe {
        volatile @Nullable Moment moment;
        volatile boolean byError;

        @Override
        public void reached(Moment reached) {
            if (reached == moment) {
                if (byError) {
                    throw new LinkageError("fails at " + moment);
                }
                throw new IllegalStateException("fails at " + moment);
            }
        }

        @Override
        public OptionalInt pauseBefore() {
            return OptionalInt.empty();
        }
    }
}
