package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.EgressDenial;
import dev.caisson.spec.ContainerId;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class DenialBudgetTest {
    private static final ContainerId ONE = new ContainerId("a".repeat(64));
    private static final ContainerId TWO = new ContainerId("b".repeat(64));

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(100));
    private final DenialBudget budget = new DenialBudget(now::get);

    private static EgressDenial denial(ContainerId container, int port) {
        return new EgressDenial(container, Optional.empty(), Optional.empty(), port, "tcp", "not on its list");
    }

    private void pass(long seconds) {
        now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    }

    @Test
    void the_same_is_noted_once_a_minute_with_what_was_left_out() {
        assertThat(budget.take(denial(ONE, 1))).isEqualTo(OptionalLong.of(0));
        assertThat(budget.take(denial(ONE, 1))).isEmpty();
        pass(59);
        assertThat(budget.take(denial(ONE, 1))).isEmpty();
        assertThat(budget.take(denial(TWO, 1))).isEqualTo(OptionalLong.of(0));
        pass(1);
        assertThat(budget.take(denial(ONE, 1))).isEqualTo(OptionalLong.of(2));
        assertThat(budget.take(denial(ONE, 2))).isEqualTo(OptionalLong.of(0));
    }

    @Test
    void a_container_that_makes_up_destinations_is_noted_now_and_then_and_no_other_suffers() {
        for (int port = 1; port <= 20; port++) {
            assertThat(budget.take(denial(ONE, port))).as("port %s", port).isPresent();
        }
        for (int port = 21; port <= 1000; port++) {
            assertThat(budget.take(denial(ONE, port))).as("port %s", port).isEmpty();
        }
        assertThat(budget.take(denial(TWO, 1))).isEqualTo(OptionalLong.of(0));
        pass(3);
        assertThat(budget.take(denial(ONE, 1001))).isEqualTo(OptionalLong.of(980));
        assertThat(budget.take(denial(ONE, 1002))).isEmpty();
        pass(3600);
        for (int port = 2001; port <= 2020; port++) {
            assertThat(budget.take(denial(ONE, port))).as("port %s", port).isPresent();
        }
        assertThat(budget.take(denial(ONE, 2021))).isEmpty();
    }
}
