package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Writable layers on a file system with project quotas, which not every kernel has.
@Tag("vm")
@Timeout(900)
class ProjectQuotaTest {
    @Test
    void layers_are_bounded_measured_and_removed_also_after_a_kill() throws Exception {
        EngineMachine.Result result = EngineMachine.run(ProjectQuotaContainers.class);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).isEqualTo(VersionTwoContainers.HELD);
    }
}
