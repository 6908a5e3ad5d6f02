package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.VirtualMachine.Result;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The tests of the real kernel once more, on a machine that has version 2 only.
@Tag("vm")
@Timeout(600)
class VersionTwoTest {
    /// The machine's own kernel ended before the tests did, which says nothing of them.
    private static final int MACHINE_DIED = 125;

    @Test
    void everythingHoldsInVersion2() throws Exception {
        Result result = VirtualMachine.runTests(List.of(), CgroupTest.class, EnforcementTest.class, TenantTest.class);
        for (int again = 0; again < 2 && result.status() == MACHINE_DIED; again++) {
            result = VirtualMachine.runTests(List.of(), CgroupTest.class, EnforcementTest.class, TenantTest.class);
        }

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).contains(" passed, 0 failed");
    }
}
