package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.NetworkSpec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What a container sends to everybody on its link, as to services of the host that answer names by multicast.
@Tag("root")
class HeardByTheHostTest extends OnAHost {
    private static final String HEARS = """
            import socket, struct, subprocess
            link = socket.if_nametoindex("BRIDGE")
            four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); four.bind(("", 5353))
            four.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            struct.pack("4s4si", socket.inet_aton("224.0.0.251"), bytes(4), link))
            six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1); six.bind(("::", 5353))
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                           struct.pack("16si", socket.inet_pton(socket.AF_INET6, "ff02::fb"), link))
            for s in four, six: s.settimeout(1)
            subprocess.run(["nsenter", "-t", "SENDER", "-n", "python3", "-c", SENDS], check=True)
            for s in four, six:
                try:
                    while True: print(s.recv(99).decode())
                except TimeoutError: pass
            """;
    private static final String SENDS = """
            import socket
            four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            for to in "224.0.0.251", "255.255.255.255", "WHOLE_SUBNET": four.sendto(to.encode(), (to, 5353))
            six.sendto(b"ff02::fb", ("ff02::fb", 5353, 0, socket.if_nametoindex("LINK")))
            """;

    @Test
    void multicast_and_broadcast_reach_no_service_of_the_host() {
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        Guest guest = bed.guest("net");
        String broadcast = guest.namespace()
                .sh("ip -4 addr show dev eth0 2>/dev/null | grep -o 'brd [0-9.]*' | cut -d' ' -f2")
                .strip();

        assertThat(heard(guest, broadcast)).isEmpty();

        bed.host.sh("nft flush ruleset");
        assertThat(heard(guest, broadcast).lines())
                .as("without rules")
                .containsExactlyInAnyOrder("224.0.0.251", "255.255.255.255", broadcast, "ff02::fb");
    }

    private String heard(Guest guest, String broadcast) {
        String sends = SENDS.replace("WHOLE_SUBNET", broadcast).replace("LINK", "eth0");
        String hears = HEARS.replace("BRIDGE", guest.attachments().getFirst().bridge())
                .replace("SENDER", Bed.thread(guest.namespace()))
                .replace("SENDS", '"' + sends.replace("\"", "\\\"").replace("\n", "\\n") + '"');
        return bed.host.sh("timeout 30 python3 - <<'E'\n" + hears + "E");
    }
}
