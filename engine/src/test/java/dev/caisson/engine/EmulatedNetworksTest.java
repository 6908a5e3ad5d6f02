package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Networks on a machine that is emulated whole, with the kernel of a distribution and version 2 of control groups.
@Tag("emulated")
@Timeout(600)
class EmulatedNetworksTest {
    @Test
    void containers_are_on_networks_of_a_host_with_version_2_of_control_groups() throws Exception {
        assertHolds("ipv6.disable=0");
    }

    @Test
    void containers_are_on_networks_of_a_host_that_has_no_ipv6() throws Exception {
        assertHolds("ipv6.disable=1", EmulatedNetworks.WITHOUT_IPV6);
    }

    private static void assertHolds(String word, String... arguments) throws Exception {
        EngineMachine.Result result =
                EngineMachine.run(EmulatedNetworks.class, arguments, "-a", "tcg", "-t", "500", "-k", word);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).doesNotContain("WARNING", "ERROR");
        assertThat(result.output().lines().toList().getLast()).isEqualTo(VersionTwoContainers.HELD);
    }
}
