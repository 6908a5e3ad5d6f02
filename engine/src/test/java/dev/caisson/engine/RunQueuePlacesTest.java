package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The places of a queue, without an engine.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class RunQueuePlacesTest {
    private final AtomicInteger asked = new AtomicInteger();
    /// In how many questions the engine is closed; never if negative.
    private int closedAt = -1;

    private void requireUsable() {
        if (asked.incrementAndGet() == closedAt) {
            throw new EngineException("ENGINE_CLOSED", "the engine is closed: open another");
        }
    }

    private static Thread waiting(RunQueue queue) throws InterruptedException {
        Thread thread = Thread.ofPlatform().daemon().start(() -> {
            try {
                queue.enter();
            } catch (InterruptedException | EngineException e) {
                // it was let go
            }
        });
        while (queue.length() == 0) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return thread;
    }

    @Test
    void a_closed_engine_gives_no_place_whether_it_was_closed_before_or_while_one_waited() throws Exception {
        for (int question = 1; question <= 2; question++) {
            var queue = new RunQueue(1, this::requireUsable);
            asked.set(0);
            closedAt = question;

            assertThatThrownBy(queue::enter).isInstanceOf(EngineException.class);

            queue.enter(); // the place was given back
            Thread second = waiting(queue);
            queue.leave();
            second.join();
        }
    }

    @Test
    void without_a_bound_nobody_waits() throws Exception {
        var queue = new RunQueue(Integer.MAX_VALUE, this::requireUsable);
        closedAt = 4;
        for (int i = 0; i < 3; i++) {
            queue.enter();
        }
        assertThatThrownBy(queue::enter).isInstanceOf(EngineException.class);
        assertThat(queue.length()).isZero();
        queue.leave();
        queue.dissolve();
    }

    @Test
    void who_waits_goes_on_when_the_queue_is_dissolved() throws Exception {
        var queue = new RunQueue(1, this::requireUsable);
        queue.enter();
        Thread first = waiting(queue);

        queue.dissolve();

        first.join();
        assertThat(queue.length()).isZero();
        queue.enter();
    }
}
