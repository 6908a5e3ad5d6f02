package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class GateReopeningTest {
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();

    private final GateReopening reopening = new GateReopening();

    @Test
    void gates_are_opened_again_five_times_in_ten_minutes_after_longer_and_longer_pauses() {
        assertThat(LongStream.rangeClosed(1, 5)
                        .mapToObj(
                                minute -> reopening.after("a", minute * MINUTE).orElseThrow())
                        .map(Duration::toMillis))
                .containsExactly(200L, 400L, 800L, 1600L, 3200L);
        assertThat(reopening.after("a", 6 * MINUTE)).isEmpty();
        assertThat(reopening.after("b", 6 * MINUTE)).isPresent();
    }

    @Test
    void ends_of_long_ago_and_of_a_container_that_is_gone_do_not_count() {
        for (int end = 0; end < GateReopening.MOST; end++) {
            reopening.after("a", MINUTE);
        }
        assertThat(reopening.after("a", 2 * MINUTE)).isEmpty();
        assertThat(reopening.after("a", 12 * MINUTE)).contains(Duration.ofMillis(200));
        for (int end = 0; end < GateReopening.MOST; end++) {
            reopening.after("b", MINUTE);
        }
        reopening.forget("b");
        assertThat(reopening.after("b", MINUTE)).contains(Duration.ofMillis(200));
    }
}
