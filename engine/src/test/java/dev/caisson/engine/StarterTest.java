package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Probe.Moment;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.TerminalSize;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
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
        Container outer = engine.start(SPEC.name("outer"), Streams.capture(), ProgressListener.none(), _ -> {
            var failure = new IllegalStateException("the observer's");
            assertThatThrownBy(() -> engine.start(SPEC, Streams.capture(), ProgressListener.none(), _ -> {
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

    @Test
    void what_answers_filters_is_one_for_all_containers_and_ends_with_the_engine() throws Exception {
        ContainerSpec watched = SPEC.seccomp(new SeccompChoice.Watched(SPEC.seccomp(), SeccompChoice.Watch.TELL));
        engine.start(watched.name("one"), Streams.capture());
        engine.start(watched.name("two"), Streams.capture());
        assertThat(threads("caisson-listener")).isEqualTo(1);
        engine.close();
        assertThat(threads("caisson-listener")).isZero();
        assertThat(RunningZygoteTest.zygotes()).isEmpty();
    }

    @Test
    void an_observer_may_end_what_it_sees() throws Exception {
        Container ended = engine.start(SPEC, Streams.capture(), ProgressListener.none(), Container::kill);
        assertThat(ended.await().verdict()).isNotEqualTo(Verdict.OK);
    }

    @Test
    void what_fails_while_a_container_is_removed_is_told_with_what_failed_before() {
        var failure = new IllegalStateException("the observer's");
        assertThatThrownBy(() -> engine.start(SPEC, Streams.capture(), ProgressListener.none(), _ -> {
                    probe.moment = Moment.RECORD_REMOVED;
                    throw failure;
                }))
                .isSameAs(failure);
        assertThat(failure.getSuppressed())
                .singleElement()
                .satisfies(suppressed -> assertThat(suppressed).hasStackTraceContaining("fails at RECORD_REMOVED"));
    }

    @Test
    void a_start_passes_each_of_its_moments_in_order() throws Exception {
        engine.run(ContainerSpec.of(Image.host(), "true"));
        assertThat(probe.reached)
                .containsSubsequence(
                        Moment.RANGE_TAKEN,
                        Moment.NAME_TAKEN,
                        Moment.GROUP_MADE,
                        Moment.CHILD_ASKED,
                        Moment.LAYERS_OPEN,
                        Moment.STREAMS_OPEN,
                        Moment.INIT_READY,
                        Moment.VERIFIED,
                        Moment.WATCHED,
                        Moment.STARTED,
                        Moment.START_RECORDED);
    }

    @Test
    void the_helper_makes_what_stays_too_and_counts_as_the_engines_own() throws Exception {
        DetachedContainer made = engine.create(SPEC, DetachedOptions.STANDARD);
        made.remove(true);
        assertThat(engine.statistics().toString()).isNotEmpty();
        assertThat(RunningZygoteTest.zygotes()).hasSize(1);
    }

    @Test
    void a_terminal_is_read_and_written_and_more_programs_run_beside_it() throws Exception {
        ContainerSpec terminal =
                ContainerSpec.of(Image.host(), "sh", "-c", "tty; stty size").terminal(new TerminalSize(33, 77));
        assertThat(engine.run(terminal).stdout()).matches("/dev/\\S+\r\n33 77\r\n");

        Container asleep = engine.start(SPEC, Streams.capture());
        assertThat(engine.exec("again", Exec.of("echo", "beside"), Streams.capture())
                        .stdout())
                .isEqualTo("beside\n");
        asleep.kill();
        asleep.await();
    }

    private static long threads(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(name))
                .count();
    }

    @Test
    void only_a_container_on_networks_has_a_helper_that_may_make_links() throws Exception {
        assertThatThrownBy(() -> engine.run(SPEC.network(Network.on("no-such-network"))))
                .isInstanceOf(CaissonException.class);
        while (RunningZygoteTest.zygotes().isEmpty()) { // it is started beside the caller
            Thread.sleep(5);
        }
        assertThat(RunningZygoteTest.zygotes())
                .singleElement()
                .satisfies(pid -> assertThat(RunningZygoteTest.arguments(pid)).contains("links"));
        engine.close();
        assertThat(RunningZygoteTest.zygotes()).isEmpty();
    }

    private static final class FailingAt implements Probe {
        volatile @Nullable Moment moment;
        volatile boolean byError;
        final Queue<Moment> reached = new ConcurrentLinkedQueue<>();

        @Override
        public void reached(Moment now) {
            reached.add(now);
            if (now == moment) {
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
