package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Nothing that our tables close is open while somebody has taken them, if there is one who stands by.
@Tag("root")
class StandbyTest extends OnAHost {
    @Test
    void a_flush_opens_nothing_until_the_tables_are_made_again() {
        create("one");
        create("two");
        Guest one = bed.guest("one");
        Guest same = bed.guest("one");
        Guest two = bed.guest("two");
        List.of(same.namespace(), two.namespace(), bed.host, bed.neighbor).forEach(where -> bed.listen(where, 80));
        bed.neighbor.sh("ip route add 172.28.0.0/16 via " + Bed.HOST + "; ip -6 route add fd00::/8 via 2001:db8::1");
        standBy();
        assertThat(Bed.connects(one.namespace(), same.ip4(), 80)).isTrue();
        assertThat(connectsSigned(one, same.ip4())).isTrue();
        assertThat(Bed.connects(one.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();

        bed.host.sh("nft flush ruleset");

        assertThat(bed.host.sh("nft list tables"))
                .doesNotContainPattern("caisson-[0-9a-f]+\n")
                .contains("-unseen");
        assertThat(Bed.isClosed(one.namespace(), one.gateway(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), Bed.ip(Bed.HOST), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip6(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
        assertThat(connectsSigned(one, one.gateway())).isFalse();
        assertThat(connectsSigned(one, two.ip4())).isFalse();
        assertThat(Bed.isClosed(bed.neighbor, two.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, two.ip6(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), same.ip4(), 80))
                .as("frames with false addresses")
                .isTrue();
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 80))
                .as("what is not ours")
                .isTrue();

        recover();
        assertThat(Bed.connects(one.namespace(), same.ip4(), 80)).isTrue();
        assertThat(Bed.connects(one.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), one.gateway(), 80)).isTrue();
    }

    @Test
    void a_rule_that_accepts_before_ours_opens_nothing() {
        create("net");
        Guest guest = bed.guest("net");
        bed.listen(bed.host, 80);
        String table = bed.host.sh("nft list tables inet").strip().split(" ", -1)[2];
        standBy();

        bed.host.sh("nft insert rule inet " + table + " input accept");

        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 80)).isTrue();
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 80)).isTrue();
    }

    @Test
    void its_tables_are_nobody_elses_and_go_with_it() {
        create("net");
        standBy();
        String name =
                bed.host.sh("nft list tables inet | grep -o 'caisson.*unseen'").strip();

        assertThat(bed.host.sh("nft delete table inet " + name + " 2>&1 || true"))
                .contains("not permitted");
        bed.host.sh("nft flush ruleset");
        bed.reopen();

        assertThat(bed.host.sh("nft list tables")).isEmpty();
    }

    @Test
    void a_forwarded_packet_has_the_priority_that_the_kernel_gave_it() {
        create("net");
        Guest guest = bed.guest("net");
        bed.on(all ->
                Bed.publish(all, guest.id(), List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP))));
        bed.listen(guest.namespace(), 80);
        bed.host.sh("nft 'table inet probe { chain c { type filter hook postrouting priority 0;"
                + " meta l4proto tcp meta priority 0:0 counter; meta l4proto tcp meta priority != 0:0 counter; }; }'");
        standBy();

        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();

        String counted = bed.host.sh("nft list chain inet probe c");
        assertThat(counted).containsPattern("priority none counter packets [1-9]");
        assertThat(counted).containsPattern("priority != none counter packets 0");
    }

    /// Connects by packets that have the priorities by which the host knows what was judged.
    private static boolean connectsSigned(Guest guest, InetAddress to) {
        return guest.namespace().status("""
                python3 -c '
                import socket
                for signature in (0xca150000, 0xca160000):
                    s = socket.socket(); s.settimeout(1)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, signature - 2**32)
                    try: s.connect(("%s", 80)); break
                    except OSError: pass
                else: exit(1)'
                """.formatted(to.getHostAddress())) == 0;
    }

    private void create(String name) {
        bed.on(all -> all.create(new NetworkSpec(name, List.of(), false, true, true, 0, Map.of())));
    }

    private void standBy() {
        bed.<Void>on(all -> {
            all.standBy();
            return null;
        });
    }

    private void recover() {
        bed.<Void>on(all -> {
            all.recover(_ -> true);
            return null;
        });
    }
}
