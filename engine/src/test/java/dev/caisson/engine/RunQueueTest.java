package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// An engine of two runs at one time.
class RunQueueTest extends BusyboxEngine {
    @BeforeEach
    void openSmallEngine() {
        engine.close();
        engine = Engine.open(OPTIONS.runs(2));
    }

    @Test
    void who_comes_when_there_is_no_place_waits_and_is_served_in_the_order_of_coming() throws Exception {
        var served = new CopyOnWriteArrayList<Integer>();
        Container first = engine.start(busybox("sleep", "100"), Streams.capture());
        Container second = engine.start(busybox("sleep", "100"), Streams.capture());
        Thread[] later = new Thread[3];
        for (int i = 0; i < later.length; i++) {
            int number = i;
            later[i] = Thread.ofVirtual().start(() -> {
                try (Container _ = engine.start(busybox("sleep", "100"), Streams.capture())) {
                    served.add(number);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            awaitQueued(i + 1);
        }
        assertThat(engine.containers()).hasSize(2);

        first.close();
        for (Thread thread : later) {
            thread.join();
        }

        assertThat(served).isEqualTo(List.of(0, 1, 2));
        second.close();
    }

    private void awaitQueued(int count) throws InterruptedException {
        while (engine.queued() < count) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    @Test
    void a_run_that_fails_or_is_interrupted_gives_its_place_back() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> engine.run(busybox("none"))).isInstanceOf(RuntimeException.class);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> engine.run(busybox("true"))).isInstanceOf(InterruptedException.class);
        }

        assertThat(shell("true").isOk()).isTrue();
        assertThat(shell("true").isOk()).isTrue();
    }

    @Test
    void who_waits_when_the_engine_closes_is_told() throws Exception {
        engine.start(busybox("sleep", "100"), Streams.capture());
        engine.start(busybox("sleep", "100"), Streams.capture());
        var told = new AtomicReference<Throwable>();
        Thread waiting = Thread.ofPlatform().start(() -> {
            try {
                engine.run(busybox("true"));
            } catch (Exception e) {
                told.set(e);
            }
        });
        awaitQueued(1);

        engine.close();
        waiting.join();

        assertThat(told.get())
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("ENGINE_CLOSED"));
    }
}
