package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ProgressListener;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.watch.LiveFilters;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whom a caller means: a name is never taken for the beginning of another container's id, whichever of the two runs.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LookupTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("lookup"), OwnDirectories.data("lookup"));

    /// What would do something to another container, or tell something of it, in place of one that has ended.
    enum Asked {
        EXEC,
        EXEC_IN_THE_BACKGROUND,
        VERIFY,
        FIND_A_RUNNING_ONE,
        FIND_A_DETACHED_ONE,
        FIND_A_KEPT_ONE,
        STATUS,
        FILTERS;

        /// Whom it found is the one of this name.
        private void on(String container, Engine engine) throws InterruptedException {
            Optional<String> found = switch (this) {
                case EXEC -> {
                    engine.exec(container, Exec.of("true"), Streams.capture());
                    yield Optional.empty();
                }
                case EXEC_IN_THE_BACKGROUND -> {
                    engine.execAlone(container, Exec.of("true"));
                    yield Optional.empty();
                }
                case VERIFY -> {
                    Verification.of(container, OPTIONS);
                    yield Optional.empty();
                }
                case FIND_A_RUNNING_ONE ->
                    RunningContainer.find(container, OPTIONS).map(RunningContainer::name);
                case FIND_A_DETACHED_ONE ->
                    DetachedContainer.find(container, OPTIONS).map(DetachedContainer::name);
                case FIND_A_KEPT_ONE -> KeptContainer.find(container, OPTIONS).name();
                case STATUS -> ContainerStatus.find(container, OPTIONS).name();
                case FILTERS -> {
                    LiveFilters.programOf(container, OPTIONS.data(), OPTIONS.state());
                    yield Optional.empty();
                }
            };
            found.ifPresent(name -> assertThat(name).isEqualTo(container));
        }

        /// True if it did or told nothing, or told it of this container.
        private boolean reaches(String container, Engine engine) throws InterruptedException {
            try {
                on(container, engine);
                return true;
            } catch (CaissonException e) {
                assertThat(e.code())
                        .isIn(
                                "CONTAINER_NOT_RUNNING",
                                "CONTAINER_UNKNOWN",
                                "CONTAINER_ENDED",
                                "CONTAINER_NOT_KEPT",
                                "EXEC_DETACHED_REFUSED");
                return false;
            }
        }
    }

    @AfterEach
    void removeAll() throws Exception {
        for (DetachedContainer container : DetachedContainer.all(OPTIONS)) {
            container.remove(true);
        }
    }

    private static String firstDigit(DetachedContainer container) {
        return container.id().value().substring(0, 1);
    }

    private static DetachedContainer made(Engine engine, String name, String... command) throws Exception {
        return engine.create(ContainerSpec.onHost(command).name(name), DetachedOptions.STANDARD);
    }

    @ParameterizedTest
    @EnumSource
    void what_is_asked_of_one_that_has_ended_does_not_reach_one_whose_id_begins_like_its_name(Asked asked)
            throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer runs = made(engine, "runs", "sleep", "1000");
            runs.start();
            DetachedContainer ended = made(engine, firstDigit(runs), "true");

            boolean reached = asked.reaches(ended.name(), engine);

            assertThat(reached)
                    .isEqualTo(
                            switch (asked) {
                                case EXEC, EXEC_IN_THE_BACKGROUND, VERIFY, FILTERS -> false;
                                case FIND_A_RUNNING_ONE, FIND_A_DETACHED_ONE, FIND_A_KEPT_ONE, STATUS -> true;
                            });
            assertThat(asked.reaches("runs", engine)).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void what_is_asked_of_one_that_is_not_kept_does_not_reach_a_kept_one_whose_id_begins_like_its_name(Asked asked)
            throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer kept = made(engine, "kept", "sleep", "1000");
            String name = firstDigit(kept);
            ContainerSpec spec = ContainerSpec.onHost("sleep", "1000").name(name);
            try (Container _ = engine.start(spec, Streams.capture(), ProgressListener.none())) {
                boolean reached = asked.reaches(name, engine);

                assertThat(reached).isEqualTo(asked != Asked.FIND_A_KEPT_ONE && asked != Asked.EXEC_IN_THE_BACKGROUND);
            }
        }
    }

    @Test
    void the_beginning_of_two_ids_is_refused_though_one_of_them_has_ended() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer runs = made(engine, "runs", "sleep", "1000");
            runs.start();
            String digit = firstDigit(runs);
            DetachedContainer ended = made(engine, "ended", "true");
            for (int i = 0; !firstDigit(ended).equals(digit); i++) {
                assertThat(i).isLessThan(500);
                ended.remove(true);
                ended = made(engine, "ended", "true");
            }

            assertThatThrownBy(() -> engine.exec(digit, Exec.of("true"), Streams.capture()))
                    .isInstanceOfSatisfying(
                            CaissonException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_AMBIGUOUS"));
            runs.stop(OptionalInt.empty(), Optional.empty());
        }
    }
}
