package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Answers that stop coming.
@Timeout(30)
class BodyTest {
    private static final long WINDOW = 100_000_000L;

    /// A stream that brings nothing, and whose read ends when it is closed, as those of connections do.
    private static final class Stalling extends InputStream {
        private final CountDownLatch closed = new CountDownLatch(1);

        @Override
        public int read() throws IOException {
            return read(new byte[1], 0, 1);
        }

        @Override
        public int read(byte[] bytes, int from, int count) throws IOException {
            try {
                closed.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            throw new IOException("closed");
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    @Test
    void one_that_sends_next_to_nothing_is_given_up() throws Exception {
        try (var body = new Body(new Stalling(), WINDOW)) {
            Thread watch = Thread.ofVirtual().start(() -> {
                while (!Thread.interrupted()) {
                    body.check();
                    Thread.onSpinWait();
                }
            });
            assertThatThrownBy(() -> body.read(new byte[10]))
                    .isInstanceOf(IOException.class)
                    .hasMessage("the answer has stalled");
            watch.interrupt();
        }
    }

    @Test
    void a_reader_that_takes_its_time_is_not_the_registry_s_fault() throws Exception {
        try (var body = new Body(new ByteArrayInputStream(new byte[] {1, -1}), WINDOW)) {
            assertThat(body.read()).isEqualTo(1);
            Thread.sleep(150);
            body.check();
            assertThat(body.read()).isEqualTo(255);
            assertThat(body.read()).isEqualTo(-1);
        }
    }
}
