package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// What fails below reaches the caller with a code, and with what he can do.
class FailuresTest {
    private final ErrnoException refused = new ErrnoException("openat2 x", Errno.EACCES);
    private final EngineException notRunning = new EngineException("CONTAINER_NOT_RUNNING", "it has ended");

    private static void assertCode(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private static Runnable failing(RuntimeException what) {
        return () -> {
            throw what;
        };
    }

    private static <T> Supplier<T> throwing(RuntimeException what) {
        return () -> {
            throw what;
        };
    }

    @Test
    void work_gives_its_result_or_a_coded_failure() {
        var ran = new ArrayList<String>();
        assertThat(Failures.call(() -> "result")).isEqualTo("result");
        Failures.run(() -> ran.add("run"));
        Failures.runOnGroup(() -> ran.add("on a group"), () -> notRunning);
        assertThat(Failures.onGroup(() -> "result", () -> notRunning)).isEqualTo("result");
        assertThat(ran).containsExactly("run", "on a group");

        assertThatThrownBy(() -> Failures.call(throwing(refused))).hasCause(refused);
        assertCode("KERNEL_REFUSED", () -> Failures.run(failing(refused)));
        assertThatThrownBy(() -> Failures.call(throwing(notRunning))).isSameAs(notRunning);
        assertCode("ENGINE_CLOSED", () -> Failures.call(throwing(new RejectedExecutionException())));
        assertCode("INTERNAL", () -> Failures.run(failing(new IllegalStateException("broken"))));
    }

    /// A group whose descriptors are closed is that of a container that has ended.
    @Test
    void a_group_that_is_gone_is_told_as_a_container_that_does_not_run() {
        var closed = new IllegalStateException("file descriptor is closed");
        assertThatThrownBy(() -> Failures.onGroup(throwing(closed), () -> notRunning))
                .isSameAs(notRunning);
        assertThatThrownBy(() -> Failures.runOnGroup(failing(closed), () -> notRunning))
                .isSameAs(notRunning);
        assertThatThrownBy(() -> Failures.onGroup(throwing(refused), () -> notRunning))
                .isInstanceOf(EngineException.class)
                .hasCause(refused);
    }

    @Test
    void a_wait_that_is_interrupted_gives_nothing_and_leaves_the_thread_interrupted() {
        assertThat(Failures.uninterrupted(() -> "result")).contains("result");
        assertThat(Thread.interrupted()).isFalse();

        assertThat(Failures.uninterrupted(() -> {
                    throw new InterruptedException();
                }))
                .isEmpty();
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void what_a_task_threw_is_thrown_on_as_it_was() {
        assertThat(Failures.unchecked(notRunning)).isSameAs(notRunning);
        assertThat(Failures.unchecked(new ExecutionException(notRunning))).isSameAs(notRunning);
        var error = new StackOverflowError("of the test");
        assertThatThrownBy(() -> Failures.unchecked(new ExecutionException(error)))
                .isSameAs(error);
        var checked = new IOException("gone");
        assertThat(Failures.unchecked(checked))
                .isInstanceOf(IllegalStateException.class)
                .hasCause(checked);
        assertThat(Failures.unchecked(new ExecutionException(null))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void all_that_was_opened_is_closed_and_what_fails_then_is_told_with_the_first() {
        var closed = new ArrayList<String>();
        var failure = new IllegalStateException("first");
        var second = new IllegalStateException("second");

        Failures.closeAll(
                List.of(
                        () -> closed.add("one"),
                        () -> {
                            throw second;
                        },
                        () -> closed.add("three")),
                failure);

        assertThat(closed).containsExactly("one", "three");
        assertThat(failure.getSuppressed()).containsExactly(second);
    }

    @Test
    void each_says_which_container_it_is_about() {
        var id = new ContainerId("ab".repeat(32));
        assertFailure(
                Failures.notRemoved(id, Duration.ofSeconds(90)),
                "CONTAINER_NOT_REMOVED",
                id.shortForm() + " is killed but not removed after 90 seconds");
        assertFailure(Failures.notRenewed("web", Optional.of(Duration.ofSeconds(1))), "LEASE_OVER", "container web is");
        assertFailure(Failures.notRenewed("web", Optional.empty()), "NO_LEASE", "container web has no lease");
        assertFailure(Failures.unknown("web"), "CONTAINER_UNKNOWN", "no such container: web: 'caisson ps -a'");
        assertFailure(Failures.removed("web"), "CONTAINER_UNKNOWN", "the container web has been removed");
        assertFailure(Failures.dead("CONTAINER_DEAD", "web"), "CONTAINER_DEAD", "'caisson start web'");
        var cause = new IllegalStateException("cause");
        assertThat(Failures.endedAtStart("web", cause)).hasCause(cause);
        assertFailure(Failures.endedAtStart("web", cause), "CONTAINER_DEAD", "container web was ended while");
    }

    private static void assertFailure(EngineException failure, String code, String part) {
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure).hasMessageContaining(part);
    }
}
