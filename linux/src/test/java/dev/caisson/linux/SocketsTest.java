package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 10, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketsTest {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

    @Test
    void a_message_arrives_whole_with_its_descriptors() {
        Sockets.Pair pair = Sockets.pair();
        Sockets.Pair other = Sockets.pair();
        Sockets.send(pair.ours(), HELLO, List.of(other.ours(), other.theirs()));

        try (Sockets.Message message = Sockets.receive(pair.theirs(), 64)) {
            assertThat(message.bytes()).isEqualTo(HELLO);
            assertThat(message.descriptors()).hasSize(2);
            assertThat(message.isEnd()).isFalse();
        }
        close(other);
        close(pair);
    }

    @Test
    void nothing_there_is_no_message() {
        Sockets.Pair pair = Sockets.pair();

        assertThat(Sockets.receiveNow(pair.ours(), 64)).isEmpty();
        close(pair);
    }

    @Test
    void an_end_that_was_closed_is_told() {
        Sockets.Pair pair = Sockets.pair();
        pair.theirs().close();

        try (Sockets.Message message = Sockets.receive(pair.ours(), 64)) {
            assertThat(message.isEnd()).isTrue();
        }
        close(pair);
    }

    /// unix(7): ECONNRESET, where the other end had something left to read. It is told once, then the end as usual.
    @Test
    void so_is_one_that_was_closed_before_it_had_read_all() {
        Sockets.Pair pair = Sockets.pair();
        Sockets.send(pair.ours(), HELLO, List.of());
        pair.theirs().close();

        for (int i = 0; i < 2; i++) {
            try (Sockets.Message message = Sockets.receiveNow(pair.ours(), 64).orElseThrow()) {
                assertThat(message.isEnd()).isTrue();
                assertThat(message.descriptors()).isEmpty();
            }
        }
        close(pair);
    }

    private static void close(Sockets.Pair pair) {
        pair.ours().close();
        pair.theirs().close();
    }
}
