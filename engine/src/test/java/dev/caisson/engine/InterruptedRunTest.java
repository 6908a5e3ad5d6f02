package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ProgressListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whoever is interrupted in `run` or `start` leaves no container.
class InterruptedRunTest extends BusyboxEngine {
    private static final int THREADS = 100;
    private static final int AT_ONCE = 10;

    @ParameterizedTest
    @ValueSource(strings = {"run", "start", "run in a virtual thread"})
    void nothing_is_left_of_a_run_whose_thread_was_interrupted(String how) throws Exception {
        warmUp();
        Traces before = Traces.of(OPTIONS);
        var unexpected = new ConcurrentLinkedQueue<Throwable>();

        for (int done = 0; done < THREADS; done += AT_ONCE) {
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < AT_ONCE; i++) {
                Runnable work = () -> interrupted(how, unexpected);
                threads.add(
                        how.contains("virtual")
                                ? Thread.startVirtualThread(work)
                                : Thread.ofPlatform().start(work));
            }
            for (Thread thread : threads) {
                TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextInt(40));
                thread.interrupt();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }

        assertThat(unexpected).isEmpty();
        assertThat(engine.containers()).isEmpty();
        shell("true");
        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
    }

    /// An engine keeps the namespaces of as many id ranges as it has needed at one time.
    private void warmUp() throws InterruptedException {
        var containers = new ArrayList<Container>();
        for (int i = 0; i <= AT_ONCE; i++) {
            containers.add(engine.start(busybox("sleep", "100"), Streams.capture()));
        }
        containers.forEach(Container::close);
        shell("true");
    }

    private void interrupted(String how, ConcurrentLinkedQueue<Throwable> unexpected) {
        try {
            if (how.equals("start")) {
                Container container = engine.start(busybox("sleep", "100"), Streams.capture());
                container.close(); // it had returned before the interrupt
            } else {
                engine.run(busybox("sleep", "100"));
            }
        } catch (InterruptedException e) {
            // as it should be
        } catch (Throwable e) {
            unexpected.add(e);
        }
    }

    @Test
    void it_is_gone_when_the_exception_arrives() throws Exception {
        warmUp();
        for (int i = 0; i < 40; i++) {
            var left = new ConcurrentLinkedQueue<Container>();
            Thread thread = Thread.ofPlatform().start(() -> {
                try {
                    engine.start(busybox("sleep", "100"), Streams.capture()).close();
                } catch (InterruptedException e) {
                    left.addAll(engine.containers());
                }
            });
            TimeUnit.MICROSECONDS.sleep(ThreadLocalRandom.current().nextInt(4_000));
            thread.interrupt();
            thread.join();

            assertThat(left).isEmpty();
        }
    }

    /// Any number of virtual threads may wait for a launch.
    @Test
    void launches_of_virtual_threads_have_no_thread_each() throws Exception {
        int most = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());
        Set<Thread> others = Thread.getAllStackTraces().keySet(); // also of engines that have closed
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 10 * most; i++) {
            threads.add(Thread.startVirtualThread(() -> {
                try {
                    engine.run(busybox("true"));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }));
        }
        long seen = 0;
        while (threads.stream().anyMatch(Thread::isAlive)) {
            seen = Math.max(
                    seen,
                    Thread.getAllStackTraces().keySet().stream()
                            .filter(thread -> thread.getName().equals("caisson-launch"))
                            .filter(thread -> !others.contains(thread))
                            .count());
            Thread.sleep(1);
        }

        assertThat(seen).isBetween(1L, 3L * most); // one that is done is not yet free for the next;
    }

    @Test
    void a_thread_that_is_interrupted_already_starts_nothing() throws Exception {
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> engine.run(busybox("sleep", "100"))).isInstanceOf(InterruptedException.class);

        assertThat(engine.containers()).isEmpty();
    }

    @Test
    void a_wait_that_is_interrupted_leaves_the_container() throws Exception {
        try (Container container = engine.start(busybox("sleep", "100"), Streams.capture())) {
            Thread.currentThread().interrupt();

            assertThatThrownBy(container::await).isInstanceOf(InterruptedException.class);

            assertThat(engine.containers()).isEqualTo(List.of(container));
        }
    }

    /// It is launched in the same thread: an observer of many would otherwise need as many again.
    @Test
    void an_observer_of_one_launch_may_run_another() throws Exception {
        var inner = new AtomicReference<RunResult>();
        try (Container _ = engine.start(busybox("sleep", "100"), Streams.capture(), ProgressListener.none(), _ -> {
            try {
                inner.set(shell("echo inner"));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        })) {
            assertThat(inner.get()).isNotNull().extracting(RunResult::stdout).isEqualTo("inner\n");
        }
    }
}
