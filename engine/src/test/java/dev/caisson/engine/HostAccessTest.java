package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.Privilege;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// An engine opens for root with both capabilities, and for nobody else.
class HostAccessTest {
    private static final CapabilitySet NEEDED = CapabilitySet.of(Capability.SYS_ADMIN, Capability.SYS_PTRACE);

    @Test
    void root_with_the_two_capabilities_may_run_one() {
        HostAccess.requireRoot(new Privilege(0, NEEDED));
        HostAccess.requireRoot(new Privilege(0, CapabilitySet.ALL));
    }

    @Test
    void each_of_the_three_is_needed() {
        for (Privilege lacking : List.of(
                new Privilege(1, CapabilitySet.ALL),
                new Privilege(0, CapabilitySet.ALL.without(Capability.SYS_ADMIN)),
                new Privilege(0, CapabilitySet.ALL.without(Capability.SYS_PTRACE)),
                new Privilege(0, CapabilitySet.NONE))) {
            assertThatThrownBy(() -> HostAccess.requireRoot(lacking))
                    .as("%s", lacking)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo("ROOT_NEEDED"))
                    .hasMessageContaining("CAP_SYS_ADMIN and CAP_SYS_PTRACE");
        }
    }
}
