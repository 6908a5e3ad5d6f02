package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers on a machine that is emulated whole: its kernel has Landlock, cpuset and pressure beside version 2 of
/// control groups.
@Tag("emulated")
@Timeout(600)
class EmulatedEngineTest {
    @Test
    void containers_are_confined_by_what_a_whole_kernel_has() throws Exception {
        EngineMachine.Result result = EngineMachine.run(EmulatedContainers.class, "-a", "tcg");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).isEqualTo(VersionTwoContainers.HELD);
    }
}
