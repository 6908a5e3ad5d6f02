package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ImageConfig;
import dev.caisson.image.Platform;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The ports that a container is known to serve.
class KnownPortsTest {
    private static ImageConfig exposing(String... ports) {
        return new ImageConfig(
                List.of(),
                List.of(),
                Map.of(),
                "",
                "/",
                List.of(ports),
                List.of(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                Platform.running());
    }

    private static List<String> known(ContainerSpec spec, ImageConfig image) {
        return ServedPorts.known(spec, image).stream()
                .map(ContainerPort::toString)
                .toList();
    }

    @Test
    void those_of_the_image_are_known_without_a_network_and_what_is_no_port_is_left_out() {
        assertThat(known(ContainerSpec.onHost("true"), exposing("443", "80/tcp", "53/udp", "none", "70000")))
                .containsExactly("53/udp", "80/tcp", "443/tcp");
    }

    @Test
    void a_port_that_an_image_exposes_twice_is_known_once() {
        assertThat(known(ContainerSpec.onHost("true"), exposing("80", "79-81/tcp", "80/tcp", "80/udp", "80/TCP")))
                .containsExactly("79/tcp", "80/tcp", "80/udp", "81/tcp");
    }

    @Test
    void those_that_are_published_are_known_too_once() {
        Network network = Network.on("front").publish(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP));

        assertThat(known(ContainerSpec.onHost("true").network(network), exposing("80/tcp", "81")))
                .containsExactly("80/tcp", "81/tcp");
    }
}
