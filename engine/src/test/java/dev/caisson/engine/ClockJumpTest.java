package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Deadlines, leases, health checks and restarts on a machine whose clock is set while they run.
@Tag("vm")
@Timeout(900)
class ClockJumpTest {
    @Test
    void no_deadline_ends_early_late_or_never_when_the_clock_is_set() throws Exception {
        EngineMachine.Result result = EngineMachine.run(ClockJumps.class);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).isEqualTo(ClockJumps.HELD);
    }
}
