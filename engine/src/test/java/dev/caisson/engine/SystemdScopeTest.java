package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.caisson.cgroup.CgroupException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers in a scope that systemd delegates.
@Timeout(900)
class SystemdScopeTest {
    @Test
    @Tag("vm")
    void containers_stand_in_a_scope_that_ends_with_them() throws Exception {
        EngineMachine.Result result = EngineMachine.run(SystemdScopeContainers.class, "-s");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines().toList().getLast()).isEqualTo(VersionTwoContainers.HELD);
    }

    @Test
    @Tag("root")
    void where_systemd_is_not_process_one_its_driver_is_refused() {
        assumeFalse(Files.isDirectory(Path.of("/run/systemd/system")), "systemd is process 1 here");
        var options = new EngineOptions(
                OwnDirectories.state("systemd"), Path.of("/var/lib/caisson-test"), CgroupDriver.SYSTEMD);

        assertThatThrownBy(() -> Engine.open(options).close()).isInstanceOfSatisfying(CgroupException.class, e -> {
            assertThat(e.code()).isEqualTo("SYSTEMD_MISSING");
            assertThat(e).hasMessageContaining("cgroupfs");
        });
        assertThat(Files.exists(options.state())).isFalse();
    }
}
