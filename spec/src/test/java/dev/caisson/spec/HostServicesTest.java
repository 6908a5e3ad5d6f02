package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class HostServicesTest {
    @Test
    void ports_are_named_one_by_one_or_as_a_range() {
        HostServices services = HostServices.of("5432", "53/udp", "8000-8002").named(List.of("db.host", "db.host"));
        assertThat(services.ports())
                .extracting(ContainerPort::toString)
                .containsExactly("5432/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp");
        assertThat(services.allNames()).containsExactly("host.docker.internal", "db.host");
        assertThat(HostServices.NONE.allNames()).isEmpty();
        assertThat(HostServices.NONE.isEmpty()).isTrue();
    }

    @Test
    void names_need_ports_and_ports_have_a_bound() {
        assertThatThrownBy(() -> HostServices.NONE.named(List.of("db"))).hasMessageContaining("host-services=PORT");
        assertThatThrownBy(() -> HostServices.of("80").named(List.of("d b"))).hasMessageContaining("not a host name");
        assertThatThrownBy(() -> HostServices.of("1-65")).hasMessageContaining("65 ports");
        assertThatThrownBy(() -> HostServices.of("0")).hasMessageContaining("0");
        assertThatThrownBy(() -> HostServices.of("http")).hasMessageContaining("http");
    }

    @Test
    void they_are_written_with_the_spec() {
        Network.Joined network =
                Network.on("web").hostServices(HostServices.of("80", "53/udp").named(List.of("here")));
        ContainerSpec spec = ContainerSpec.onHost("true").network(network);
        assertThat(SpecJson.read(SpecJson.write(spec)).network()).isEqualTo(network);
        assertThat(network.publish(PortText.mappings("80").getFirst())
                        .egress(Egress.parse("none"))
                        .hostServices())
                .isEqualTo(network.hostServices());
    }
}
