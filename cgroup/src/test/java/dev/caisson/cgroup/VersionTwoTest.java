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
    @Test
    void everything_holds_in_version_2() throws Exception {
        Result result = VirtualMachine.runTests(
                List.of(),
                CgroupTest.class.getName(),
                EnforcementTest.class.getName(),
                DevicesTest.class.getName(),
                TenantTest.class.getName());

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).contains(" passed, 0 failed");
    }
}
