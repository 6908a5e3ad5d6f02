package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// In which threads launches and removals are done, and what becomes of those that are interrupted. No container is
/// made: each launch here ends with an exception.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class EngineThreadsTest {
    private static final int MOST = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());

    private final EngineThreads threads = new EngineThreads();
    private final AtomicReference<Thread> in = new AtomicReference<>();

    @AfterEach
    void close() {
        threads.close();
    }

    private static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private void launch(Runnable work) throws InterruptedException {
        var _ = threads.launch(_ -> {
            in.set(Thread.currentThread());
            work.run();
            throw new Failed();
        });
    }

    @Test
    void a_launch_has_a_thread_of_the_engines_and_one_that_it_asks_for_goes_on_in_it() {
        var second = new AtomicReference<Thread>();
        assertThatThrownBy(() -> launch(() -> {
                    try {
                        var _ = threads.launch(cancelled -> {
                            assertThat(cancelled.getAsBoolean()).isFalse();
                            second.set(Thread.currentThread());
                            throw new Failed();
                        });
                    } catch (InterruptedException | Failed e) {
                        assertThat(e).isInstanceOf(Failed.class);
                    }
                }))
                .isInstanceOf(Failed.class);

        assertThat(in.get())
                .isInstanceOf(EngineThreads.Launching.class)
                .isSameAs(second.get())
                .matches(Thread::isDaemon)
                .extracting(Thread::getName)
                .isEqualTo("caisson-launch");
    }

    @Test
    void an_error_of_a_launch_reaches_the_caller() {
        assertThatThrownBy(() -> launch(() -> {
                    throw new StackOverflowError("of the test");
                }))
                .isInstanceOf(StackOverflowError.class);
    }

    @Test
    void a_thread_that_is_interrupted_already_launches_nothing() {
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> launch(() -> {})).isInstanceOf(InterruptedException.class);

        assertThat(in.get()).isNull();
        assertThat(Thread.interrupted()).isFalse();
    }

    /// It returns when nothing is left, however often it is interrupted.
    @Test
    void who_is_interrupted_has_the_launch_cancelled_and_waits_for_its_end() throws Exception {
        var begun = new CountDownLatch(1);
        var cancelled = new Semaphore(0);
        var go = new CountDownLatch(1);
        var told = new CompletableFuture<Boolean>();
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                var _ = threads.launch(isCancelled -> {
                    awaitCancelled(begun, isCancelled);
                    cancelled.release();
                    await(go);
                    throw new Failed();
                });
            } catch (InterruptedException e) {
                told.complete(Thread.currentThread().isInterrupted());
            } catch (Failed e) {
                told.completeExceptionally(e);
            }
        });
        begun.await();
        caller.interrupt();
        assertThat(cancelled.tryAcquire(10, TimeUnit.SECONDS)).as("told").isTrue();
        assertThat(caller.join(Duration.ofMillis(30))).as("returned").isFalse();
        caller.interrupt();
        assertThat(caller.join(Duration.ofMillis(30))).as("returned").isFalse();
        go.countDown();

        assertThat(told.get()).as("the second interrupt stays").isTrue();
    }

    @Test
    void one_interrupt_is_told_once() throws Exception {
        var begun = new CountDownLatch(1);
        var told = new CompletableFuture<Boolean>();
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                var _ = threads.launch(isCancelled -> {
                    awaitCancelled(begun, isCancelled);
                    throw new Failed();
                });
            } catch (InterruptedException e) {
                told.complete(Thread.currentThread().isInterrupted());
            }
        });
        begun.await();
        caller.interrupt();

        assertThat(told.get()).isFalse();
    }

    /// Threads of the platform are the caller's to bound.
    @Test
    void as_many_launches_of_virtual_threads_at_once_as_there_are_places_and_of_others_any_number() throws Exception {
        assertThat(atOnce(Thread.ofVirtual(), MOST + 3, MOST)).isEqualTo(MOST);
        assertThat(atOnce(Thread.ofVirtual(), MOST + 3, MOST))
                .as("places are given back")
                .isEqualTo(MOST);
        assertThat(atOnce(Thread.ofPlatform().daemon(), MOST + 3, MOST + 3)).isEqualTo(MOST + 3);
    }

    /// Returns how many of so many launches are under way at once; `expected` of them are waited for.
    private int atOnce(Thread.Builder callers, int count, int expected) throws InterruptedException {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        var go = new CountDownLatch(1);
        var all = new ArrayList<Thread>();
        var began = new Semaphore(0);
        for (int i = 0; i < count; i++) {
            all.add(callers.start(() -> {
                try {
                    launch(() -> {
                        most.accumulateAndGet(running.incrementAndGet(), Math::max);
                        began.release();
                        await(go);
                        running.decrementAndGet();
                    });
                } catch (InterruptedException | Failed e) {
                    // as it must end
                }
            }));
        }
        boolean _ = began.tryAcquire(expected, 10, TimeUnit.SECONDS);
        boolean _ = began.tryAcquire(100, TimeUnit.MILLISECONDS);
        go.countDown();
        for (Thread each : all) {
            each.join();
        }
        return most.get();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void removals_have_threads_of_the_engines_as_many_as_there_are_places_and_wait_for_one() throws Exception {
        var running = new ConcurrentLinkedQueue<Thread>();
        var go = new CountDownLatch(1);
        var began = new Semaphore(0);
        for (int i = 0; i < MOST + 2; i++) {
            threads.clearUp(() -> {
                running.add(Thread.currentThread());
                began.release();
                await(go);
            });
        }
        assertThat(began.tryAcquire(MOST, 10, TimeUnit.SECONDS)).isTrue();
        assertThat(began.tryAcquire(30, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(List.copyOf(running))
                .hasSize(MOST)
                .allMatch(Thread::isDaemon)
                .doesNotHaveDuplicates();
        go.countDown();
        assertThat(began.tryAcquire(2, 10, TimeUnit.SECONDS)).isTrue();
    }

    /// A closed engine still removes what is left of a container.
    @Test
    void when_it_is_closed_nothing_is_launched_and_removals_are_done_by_whoever_asks() {
        threads.close();
        var done = new AtomicReference<Thread>();
        threads.clearUp(() -> done.set(Thread.currentThread()));

        assertThat(done.get()).isSameAs(Thread.currentThread());
        assertThatThrownBy(() -> launch(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThat(in.get()).isNull();
    }

    private static void awaitCancelled(CountDownLatch begun, BooleanSupplier isCancelled) {
        begun.countDown();
        while (!isCancelled.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }
}
