package dev.caisson.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.PublishedPorts;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeeperNotesTest {
    private static final PublishedPorts ALL = new PublishedPorts(List.of(), List.of(), true);

    private static List<String> notes(String network, PublishedPorts ports) {
        var joined = new Network.Joined(List.of(NetworkEndpoint.on(network)), ports, NameLookup.STANDARD);
        return KeeperNotes.of(ContainerSpec.onHost("true").network(joined));
    }

    @Test
    void names_are_missed_on_networks_that_have_them() {
        assertThat(notes("web", PublishedPorts.NONE)).singleElement().asString().contains("by name");
        assertThat(notes("bridge", PublishedPorts.NONE)).isEmpty();
    }

    @Test
    void published_ports_are_missed_on_loopback() {
        assertThat(notes("bridge", ALL)).singleElement().asString().contains("127.0.0.1");
    }

    @Test
    void names_of_a_list_lead_nowhere() {
        Network.Joined limited = Network.on("web").egress(Egress.only("example.com:443"));
        assertThat(KeeperNotes.of(ContainerSpec.onHost("true").network(limited)))
                .singleElement()
                .asString()
                .contains("names of --egress");
        assertThat(KeeperNotes.of(ContainerSpec.onHost("true").network(limited.egress(Egress.only("192.0.2.7:443")))))
                .isEmpty();
    }

    @Test
    void a_container_with_loopback_alone_misses_nothing() {
        assertThat(KeeperNotes.of(ContainerSpec.onHost("true"))).isEmpty();
    }
}
