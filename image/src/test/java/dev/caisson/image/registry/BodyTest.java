package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// Answers that stop coming, by a clock of the test's own.
class BodyTest {
    private static final int ENOUGH = 10_000;

    private final AtomicLong nanos = new AtomicLong();
    private final Answering answering = new Answering();
    private final Body body = new Body(answering, nanos::get);

    /// What happens while one read waits, and the bytes that it then brings.
    private record Step(Duration waits, int bytes) {}

    /// A connection. Its owner's other thread looks at the body while a read waits.
    private class Answering extends InputStream {
        private final Deque<Step> steps = new ArrayDeque<>();
        private boolean isClosed;
        private boolean failsWhenClosed;

        @Override
        public int read() throws IOException {
            throw new IOException("bytes are read many at a time");
        }

        @Override
        public int read(byte[] bytes, int from, int count) throws IOException {
            Step step = steps.remove();
            pass(step.waits());
            body.check();
            if (step.bytes() > 0) {
                Arrays.fill(bytes, from, from + step.bytes(), (byte) 7);
            }
            return step.bytes();
        }

        @Override
        public void close() throws IOException {
            isClosed = true;
            if (failsWhenClosed) {
                throw new IOException("reset");
            }
        }
    }

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private int read(Duration waits, int bytes) throws IOException {
        answering.steps.add(new Step(waits, bytes));
        return body.read(new byte[2 * ENOUGH], 0, 2 * ENOUGH);
    }

    private void assertStalls(Duration waits, int bytes) {
        assertThatThrownBy(() -> read(waits, bytes))
                .isInstanceOf(IOException.class)
                .hasMessage("the answer has stalled");
        assertThat(answering.isClosed).isTrue();
    }

    @Test
    void one_that_sends_next_to_nothing_for_a_minute_is_given_up() throws IOException {
        assertThat(read(Duration.ofSeconds(59), ENOUGH - 1)).isEqualTo(ENOUGH - 1);
        assertThat(answering.isClosed).isFalse();
        assertStalls(Duration.ofSeconds(1), 1);
    }

    @Test
    void one_that_sends_enough_in_each_minute_goes_on() throws IOException {
        assertThat(read(Duration.ofSeconds(59), ENOUGH)).isEqualTo(ENOUGH);
        for (int minute = 0; minute < 3; minute++) {
            assertThat(read(Duration.ofSeconds(1), ENOUGH / 2)).isEqualTo(ENOUGH / 2);
            assertThat(read(Duration.ofSeconds(59), ENOUGH / 2)).isEqualTo(ENOUGH / 2);
        }
        assertThat(answering.isClosed).isFalse();
        assertThat(read(Duration.ofSeconds(1), 1)).isEqualTo(1);
        assertStalls(Duration.ofSeconds(60), 1);
    }

    @Test
    void a_reader_that_takes_its_time_is_not_the_registry_s_fault() throws IOException {
        pass(Duration.ofMinutes(1));
        body.check();
        assertThat(read(Duration.ZERO, 1)).isEqualTo(1);
        pass(Duration.ofHours(1));
        body.check();
        assertThat(read(Duration.ofSeconds(59), 1)).isEqualTo(1);
        assertThat(answering.isClosed).isFalse();
        assertStalls(Duration.ofSeconds(1), 1);
    }

    @Test
    void what_came_before_a_reader_took_its_time_does_not_count() throws IOException {
        assertThat(read(Duration.ZERO, ENOUGH)).isEqualTo(ENOUGH);
        pass(Duration.ofMinutes(1));
        assertStalls(Duration.ofMinutes(1), 1);
    }

    @Test
    void the_end_takes_nothing_from_what_has_come() throws IOException {
        assertThat(read(Duration.ZERO, ENOUGH)).isEqualTo(ENOUGH);
        assertThat(read(Duration.ZERO, -1)).isEqualTo(-1);
        assertThat(read(Duration.ofMinutes(1), -1)).isEqualTo(-1);
    }

    @Test
    void one_that_has_stalled_stays_so_and_its_connection_may_fail() {
        answering.failsWhenClosed = true;
        assertStalls(Duration.ofMinutes(1), 1);
        assertStalls(Duration.ZERO, ENOUGH);
    }

    @Test
    void another_failure_is_passed_on_as_it_is() {
        var broken = new Body(
                new Answering() {
                    @Override
                    public int read(byte[] bytes, int from, int count) throws IOException {
                        throw new IOException("reset");
                    }
                },
                nanos::get);
        assertThatThrownBy(broken::read).isInstanceOf(IOException.class).hasMessage("reset");
    }

    @Test
    void single_bytes_are_unsigned_and_its_end_is_its_connection_s() throws IOException {
        try (var bytes = new Body(new ByteArrayInputStream(new byte[] {1, -1}), nanos::get)) {
            assertThat(bytes.read()).isEqualTo(1);
            assertThat(bytes.read()).isEqualTo(255);
            assertThat(bytes.read()).isEqualTo(-1);
        }
        body.close();
        assertThat(answering.isClosed).isTrue();
    }
}
