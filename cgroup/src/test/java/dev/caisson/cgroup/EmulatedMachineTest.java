package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.VirtualMachine.Result;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What of version 2 user-mode Linux does not have, on a machine that is emulated whole: processors, huge pages,
/// pressure and weights of disks.
@Tag("emulated")
@Timeout(600)
class EmulatedMachineTest {
    private static final String ENFORCEMENT = EnforcementTest.class.getName();
    private static final String SHARE = IoShareTest.class.getName();

    @Test
    void what_needs_a_whole_kernel_holds_in_version_2() throws Exception {
        Result result = VirtualMachine.runTests(
                List.of("-a", "tcg"),
                ENFORCEMENT + "#runsOnTheCpusOfTheList",
                ENFORCEMENT + "#bestEffortLeavesOutProcessorsThatAreNotThere",
                ENFORCEMENT + "#boundsHugePages",
                ENFORCEMENT + "#waitingIsCounted",
                SHARE + "#theWeightOfOneDiskCountsThere",
                SHARE + "#aWeightOfOneDiskStaysWhenThatOfAllChanges",
                SHARE + "#aDiskThatDoesNotShareByWeightIsNamed",
                SHARE + "#theKernelsOwnCostModelSharesByWeightToo");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).isEqualTo("8 passed, 0 failed, 0 skipped");
    }
}
