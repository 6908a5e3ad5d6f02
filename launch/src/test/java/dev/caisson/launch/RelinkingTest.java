package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.MemoryFile;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A plan that gets other networks is the plan that it would have been with these from the beginning.
class RelinkingTest {
    private static final ContainerSpec ONE = Samples.spec().hostName("front").network(Network.on("web"));
    private static final ContainerSpec TWO = ONE.network(Network.on("web").and(NetworkEndpoint.on("back")));

    private static GuestNetwork networks(int count, boolean names) {
        GuestNetwork all = Samples.networks();
        return new GuestNetwork(all.attachments().subList(0, count), all.host(), all.ipv6(), names);
    }

    @Test
    void it_is_as_planned_with_the_other_networks() {
        LaunchPlan one = Samples.plan(ONE, networks(1, false));
        LaunchPlan two = Samples.plan(TWO, networks(2, true));

        assertThat(new Relinking(networks(2, true), TWO).of(one)).isEqualTo(two);
        assertThat(new Relinking(networks(1, false), ONE).of(two)).isEqualTo(one);
    }

    @Test
    void without_a_network_it_has_no_link_and_keeps_its_servers() {
        ContainerSpec none = ONE.network(new Network.Joined(
                List.of(), ((Network.Joined) ONE.network()).ports(), ((Network.Joined) ONE.network()).names()));

        LaunchPlan plan = new Relinking(networks(0, false), none).of(Samples.plan(ONE, networks(1, false)));

        assertThat(plan.links()).isEmpty();
        assertThat(plan.all(Step.Netlink.class)).isEmpty();
        assertThat(plan.all(Step.SetSysctl.class))
                .noneMatch(set -> set.name().relative().contains("eth0"));
        assertThat(plan.all(Step.WriteFile.class))
                .anyMatch(file -> file.path().relative().equals("etc/resolv.conf"));
    }

    @Test
    void the_words_of_the_program_are_read_from_the_wire() {
        LaunchPlan plan = Samples.plan(ONE, networks(1, false));
        LaunchPlan recorded = PlanRecord.of(plan).plan();

        try (var wire = MemoryFile.sealed("plan", PlanCodec.encode(plan))) {
            assertThat(Relinking.whole(recorded, wire).only(Step.Execute.class))
                    .isEqualTo(plan.only(Step.Execute.class));
        }
        try (var other = MemoryFile.sealed("plan", "no plan".getBytes(StandardCharsets.UTF_8))) {
            assertThatThrownBy(() -> Relinking.whole(recorded, other))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("create it again");
        }
    }

    @Test
    void whoever_enters_to_change_links_does_nothing_else() {
        LaunchPlan plan = Samples.plan(ONE, networks(1, false));

        ExecPlan change =
                ExecPlan.network(plan, 2, Map.of("net/ipv6/conf/eth1/disable_ipv6", "1"), plan.all(Step.Netlink.class));

        assertThat(change.steps())
                .extracting(step -> step.getClass().getSimpleName())
                .containsExactly(
                        "Seal",
                        "JoinCgroup",
                        "JoinCgroup",
                        "EnterNamespaces",
                        "Mapped",
                        "NoNewPrivileges",
                        "SetSysctl",
                        "Netlink",
                        "Netlink",
                        "SetPrivileges",
                        "Done");
        assertThat(change.slots()).hasSize(5 + 2 + plan.namespaces().size());
    }
}
