package dev.caisson.cli.view;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.NetworkPlaces;
import dev.caisson.network.Attachment;
import dev.caisson.network.ContainerBounds;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Fields of `inspect` about networks.
class NetworkViewTest {
    private static final Attachment PLACE = new Attachment(
            ContainerId.random(),
            "net",
            "ab".repeat(32),
            "cv0",
            "cn0",
            false,
            "eth0",
            100,
            MacAddress.parse("02:00:00:00:00:01"),
            1500,
            Optional.empty(),
            Optional.empty(),
            false,
            List.of(),
            List.of());

    private static final PortMapping PUBLISHED = new PortMapping(Optional.empty(), 8080, 80, Transport.TCP);

    /// Proxies find by that which port a container serves.
    @Test
    void ports_that_are_exposed_and_not_published_lead_to_null() {
        var places = new NetworkPlaces(List.of(PLACE), List.of(PUBLISHED), ContainerBounds.NONE, 0);

        var ports = (Map<?, ?>) requireNonNull(
                NetworkView.settings(places, List.of("80/tcp", "90/tcp")).get("Ports"));

        assertThat(ports.get("80/tcp")).isEqualTo(List.of(Map.of("HostIp", "0.0.0.0", "HostPort", "8080")));
        assertThat(ports.containsKey("90/tcp")).isTrue();
        assertThat(ports.get("90/tcp")).isNull();
    }

    @Test
    void a_container_without_a_network_has_no_ports() {
        assertThat(NetworkView.settings(NetworkPlaces.NONE, List.of("80/tcp")).get("Ports"))
                .isEqualTo(Map.of());
    }
}
