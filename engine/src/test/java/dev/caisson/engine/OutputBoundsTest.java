package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// How much of a container's output is passed on and kept in memory.
class OutputBoundsTest {
    @Test
    void a_limit_is_passed_on_to_its_last_byte_and_no_further() {
        var limit = new OutputLimit(Bytes.of(10));

        assertThat(limit.take(4)).isEqualTo(4);
        assertThat(limit.take(6)).isEqualTo(6);
        assertThat(limit.take(1)).isZero();
        assertThat(new OutputLimit(Bytes.of(5)).take(8)).isEqualTo(5);
    }

    @Test
    void a_budget_is_given_out_to_its_last_byte_and_taken_back() {
        var budget = new CaptureBudget(Bytes.of(10));

        assertThat(budget.take(11)).isFalse();
        assertThat(budget.take(10)).isTrue();
        assertThat(budget.left()).isEqualTo(Bytes.of(0));
        assertThat(budget.take(1)).isFalse();
        budget.giveBack(3);
        assertThat(budget.left()).isEqualTo(Bytes.of(3));
        assertThat(budget.take(3)).isTrue();
        assertThat(budget.take(1)).isFalse();
    }

    @Test
    void what_is_captured_is_what_came_in_its_order() {
        var captured = new CapturedBytes(new CaptureBudget(Bytes.mebibytes(8)), () -> {});
        byte[] block = new byte[1000];
        for (int i = 0; i < 2000; i++) {
            java.util.Arrays.fill(block, (byte) i);
            captured.accept(block, block.length - i % 7);
        }

        byte[] all = captured.captured().bytes();
        int at = 0;
        for (int i = 0; i < 2000; i++) {
            for (int end = at + block.length - i % 7; at < end; at++) {
                assertThat(all[at]).isEqualTo((byte) i);
            }
        }
        assertThat(all).hasSize(at);
    }

    @Test
    void captured_output_takes_its_memory_from_the_budget_and_gives_all_of_it_back() {
        var budget = new CaptureBudget(Bytes.mebibytes(1));
        var over = new AtomicInteger();
        var captured = new CapturedBytes(budget, over::incrementAndGet);

        captured.accept("some".getBytes(StandardCharsets.UTF_8), 4);
        assertThat(budget.left().count()).isLessThan(1 << 20);
        assertThat(over).hasValue(0);
        assertThat(captured.captured().text()).isEqualTo("some");
        for (int i = 0; i < 32; i++) {
            captured.accept(new byte[64 << 10], 64 << 10);
        }

        assertThat(over.get()).isPositive();
        int kept = captured.captured().bytes().length;
        assertThat(kept).isBetween(1 << 19, 1 << 20);
        captured.release();
        assertThat(budget.left()).isEqualTo(Bytes.mebibytes(1));
        captured.accept(new byte[1], 1);
        captured.release();
        assertThat(captured.captured().bytes()).isEmpty();
        assertThat(budget.left()).isEqualTo(Bytes.mebibytes(1));
    }
}
