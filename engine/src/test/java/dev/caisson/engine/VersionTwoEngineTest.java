package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers on a machine that has control groups of version 2 only.
@Tag("vm")
@Timeout(900)
class VersionTwoEngineTest {
    @Test
    void containers_are_limited_paused_measured_and_removed() throws Exception {
        Runtimes.linkJava(VersionTwoContainers.JAVA);
        EngineMachine.Result result = EngineMachine.run(VersionTwoContainers.class);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).isEqualTo(VersionTwoContainers.HELD);
    }
}
