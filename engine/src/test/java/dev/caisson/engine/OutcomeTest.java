package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Whoever waits for the end of a container gets its result, or why there is none, in the form that callers get.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class OutcomeTest {
    private static final RunResult RESULT = RunResult.of(Verdict.EXIT, 3);
    private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);

    private final Outcome outcome = new Outcome();
    private final AtomicBoolean interrupted = new AtomicBoolean();

    private static void assertCode(String code, org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void a_result_is_everybodys_who_waits_and_the_first_one_counts() throws Exception {
        outcome.know(RESULT);
        outcome.know(RunResult.of(Verdict.OK, 0));
        outcome.fail(new IllegalStateException("late"));

        assertThat(outcome.await()).isSameAs(RESULT);
        for (Duration patience : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1), NEVER}) {
            assertThat(outcome.await(patience)).containsSame(RESULT);
        }
        assertThat(outcome.future().get()).isSameAs(RESULT);
        assertThat(outcome.isKnownWithin(Duration.ZERO, interrupted)).isTrue();
        assertThat(interrupted).isFalse();
    }

    @Test
    void who_waits_for_a_time_waits_no_longer_and_no_shorter() throws Exception {
        for (Duration patience : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1), Duration.ofMillis(30)}) {
            long begun = System.nanoTime();
            assertThat(outcome.await(patience)).isEmpty();
            assertThat(outcome.isKnownWithin(patience, interrupted)).isFalse();
            assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(2 * patience.toNanos());
        }
        assertCode("ARGUMENT_MISSING", () -> outcome.await(nothing()));

        Thread.ofPlatform().start(() -> outcome.know(RESULT));
        assertThat(outcome.await(NEVER)).contains(RESULT);
    }

    @SuppressWarnings({"NullAway", "DataFlowIssue"}) // a caller that is not checked
    private static Duration nothing() {
        return null;
    }

    @Test
    void a_failure_reaches_whoever_waits_with_a_code() {
        var why = new EngineException("CONTAINER_LOST", "lost");
        outcome.fail(why);

        assertThatThrownBy(outcome::await).isSameAs(why);
        assertThatThrownBy(() -> outcome.await(Duration.ofSeconds(1))).isSameAs(why);
        assertThat(outcome.isKnownWithin(Duration.ofSeconds(1), interrupted)).isTrue();
        assertThat(outcome.future()).isCompletedExceptionally();
    }

    @Test
    void what_is_no_failure_of_ours_is_told_as_a_defect_and_an_error_as_it_is() {
        outcome.fail(new IllegalStateException("broken"));
        assertCode("INTERNAL", outcome::await);

        var checked = new Outcome();
        checked.fail(new IOException("broken"));
        assertCode("INTERNAL", checked::await);
        assertThatThrownBy(checked::await)
                .hasMessageContaining("the container could not be cleared up")
                .hasRootCauseInstanceOf(IOException.class);

        var error = new StackOverflowError("of the test");
        var failed = new Outcome();
        failed.fail(error);
        assertThatThrownBy(failed::await).isSameAs(error);
        assertThatThrownBy(() -> failed.await(Duration.ofSeconds(1))).isSameAs(error);
    }

    @Test
    void the_first_of_several_failures_is_told_with_the_others() {
        var first = new IllegalStateException("first");
        var later = new IllegalStateException("later");

        assertThat(Outcome.suppressing(first, null)).isSameAs(first);
        assertThat(Outcome.suppressing(first, first)).isSameAs(first);
        assertThat(first.getSuppressed()).isEmpty();
        assertThat(Outcome.suppressing(later, first)).isSameAs(first);
        assertThat(first.getSuppressed()).containsExactly(later);
    }

    /// Interrupts do not keep a removal from being waited for.
    @Test
    void an_interrupt_is_told_and_the_wait_goes_on() throws Exception {
        var known = new AtomicReference<Optional<Boolean>>(Optional.empty());
        Thread waiting = Thread.ofPlatform()
                .start(() -> known.set(Optional.of(outcome.isKnownWithin(Duration.ofMinutes(1), interrupted))));
        while (!interrupted.get()) {
            waiting.interrupt();
            TimeUnit.MILLISECONDS.sleep(1);
        }
        assertThat(waiting.join(Duration.ofMillis(20))).as("it has ended").isFalse();
        outcome.know(RESULT);
        waiting.join();

        assertThat(known.get()).contains(true);
    }

    @Test
    void a_wait_for_the_result_ends_with_an_interrupt() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(outcome::await).isInstanceOf(InterruptedException.class);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> outcome.await(NEVER)).isInstanceOf(InterruptedException.class);
    }

    /// What depends on the future may block; what the engine itself has to do then is done at once.
    @Test
    void dependents_run_elsewhere_and_the_engines_own_work_in_the_thread_that_knows() throws Exception {
        var threads = new AtomicReference<Thread>();
        var own = new AtomicReference<Thread>();
        var free = new CountDownLatch(1);
        CompletableFuture<Void> dependent = outcome.future().thenAccept(_ -> {
            threads.set(Thread.currentThread());
            try {
                free.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        outcome.whenKnown(() -> own.set(Thread.currentThread()));
        assertThat(own.get()).isNull();

        outcome.know(RESULT);

        assertThat(own.get()).isSameAs(Thread.currentThread());
        free.countDown();
        dependent.get();
        assertThat(threads.get()).isNotSameAs(Thread.currentThread());

        assertThat(outcome.future().cancel(false) || outcome.await().equals(RESULT))
                .isTrue();
        assertThat(outcome.await()).as("after a cancelled future").isSameAs(RESULT);
        var failed = new Outcome();
        var ran = new AtomicBoolean();
        failed.whenKnown(() -> ran.set(true));
        failed.fail(new IllegalStateException("why"));
        assertThat(ran).isTrue();
    }
}
