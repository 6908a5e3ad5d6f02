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
                ENFORCEMENT + "#runs_on_the_cpus_of_the_list",
                ENFORCEMENT + "#best_effort_leaves_out_processors_that_are_not_there",
                ENFORCEMENT + "#bounds_huge_pages",
                ENFORCEMENT + "#waiting_is_counted",
                SHARE + "#the_weight_of_one_disk_counts_there",
                SHARE + "#a_weight_of_one_disk_stays_when_that_of_all_changes",
                SHARE + "#a_disk_that_does_not_share_by_weight_is_named",
                SHARE + "#the_kernels_own_cost_model_shares_by_weight_too");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).isEqualTo("8 passed, 0 failed, 0 skipped");
    }
}
