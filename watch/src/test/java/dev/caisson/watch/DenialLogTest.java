package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Pipes;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A listener has one reader at a time. A pipe stands in its place: its reader sees when the last writer has
/// gone, as that of a listener sees when nobody is left under the filter.
@Timeout(20)
class DenialLogTest {
    private final Pipes.Pipe pipe = Pipes.create();
    private final Listeners listeners = new Listeners(() -> {}, _ -> {});
    private final DenialLog log = new DenialLog(
            Filter.allowing(Architecture.host()),
            () -> {
                throw new AssertionError("nothing is explained");
            },
            listeners);

    @BeforeEach
    void begin() {
        log.begin(pipe.read(), () -> {});
    }

    @AfterEach
    void close() {
        log.close();
        listeners.close();
        pipe.close();
    }

    @Test
    void one_that_was_passed_on_is_closed() {
        assertThat(log.handOver(taken -> taken == pipe.read())).isTrue();

        assertThat(log.isAsked()).isFalse();
        assertThat(pipe.read().isOpen()).isFalse();
        assertThat(log.handOver(_ -> false)).as("there is none").isTrue();
    }

    @Test
    void one_is_not_read_while_it_is_passed_on_and_is_again_if_that_is_refused() throws Exception {
        boolean taken = log.handOver(_ -> {
            pipe.write().close();
            try {
                TimeUnit.MILLISECONDS.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            assertThat(log.isAsked()).isTrue();
            return false;
        });

        assertThat(taken).isFalse();
        while (log.isAsked()) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        assertThat(pipe.read().isOpen()).isFalse();
    }

    @Test
    void one_that_may_have_been_taken_is_closed() {
        assertThatThrownBy(() -> log.handOver(_ -> {
                    throw new IllegalStateException("of the test");
                }))
                .hasMessage("of the test");

        assertThat(log.isAsked()).isFalse();
        assertThat(pipe.read().isOpen()).isFalse();
    }

    @Test
    void one_that_comes_when_nobody_answers_any_more_is_closed() {
        Pipes.Pipe late = Pipes.create();
        log.close();

        log.begin(late.read(), () -> {});

        assertThat(late.read().isOpen()).isFalse();
        late.close();
    }
}
