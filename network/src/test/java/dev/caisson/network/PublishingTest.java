package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The two steps in which a port of the host comes to lead to a container.
@Tag("root")
class PublishingTest extends OnAHost {
    private static final List<PortMapping> PORTS = List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP));

    private void assertRefused() {
        bed.neighbor.call(() -> {
            try (var socket = new Socket()) {
                assertThatExceptionOfType(ConnectException.class)
                        .isThrownBy(() -> socket.connect(new InetSocketAddress(Bed.HOST, 8080), 900))
                        .withMessageContaining("refused");
            }
            return null;
        });
    }

    private void withhold(ContainerId container) {
        bed.on(all -> {
            all.publishing().withhold(container);
            return null;
        });
    }

    @Test
    void connections_are_refused_at_once_until_the_container_is_there() {
        Guest guest = bed.guest("bridge");
        bed.listen(guest.namespace(), 80);
        bed.on(all -> all.publishing().reserve(guest.id(), PORTS));

        assertRefused();
        bed.on(all -> {
            all.publishing().lead(guest.id());
            return null;
        });
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();
        bed.reopen(); // as another process, which holds no ports
        withhold(guest.id());
        assertRefused();
    }

    @Test
    void nothing_of_a_port_is_there_while_it_is_withheld_and_the_container_stays_as_planned_with_it() {
        Guest guest = bed.guest("bridge");
        String sets = "for i in published-any sent; do nft list map inet $(nft list tables inet | sed -n"
                + " 's/.*\\(caisson-[0-9a-f]*\\)$/\\1/p' | head -n 1) $i; done";
        String before = bed.host.sh(sets);
        bed.on(all -> Bed.publish(all, guest.id(), PORTS));
        assertThat(bed.host.sh(sets)).isNotEqualTo(before);
        assertThat(isAsPlanned(guest)).isTrue();

        withhold(guest.id());
        withhold(ContainerId.random());
        withhold(guest.id());

        assertThat(bed.host.sh(sets)).isEqualTo(before);
        List<PortMapping> kept = bed.on(all -> all.published(guest.id()));
        assertThat(kept).isEqualTo(PORTS);
        assertThat(isAsPlanned(guest)).isFalse();
    }

    private boolean isAsPlanned(Guest guest) {
        return bed.on(all -> all.verify(guest.id()).stream().allMatch(HostCheck::asPlanned));
    }
}
