package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers that are led to a gate of the host's for one name and port, and to nothing else of the host's.
@Tag("root")
class GateLeadTest {
    private static final String NAME = "api.example.com";
    private static final Egress LIST = Egress.only(NAME + ":443", "192.0.2.77:443");
    private static final int GATE = 40_443;
    private static final GateLead LEAD = new GateLead(NAME, 443, GATE);

    @TempDir
    private Path directory;

    private Bed bed;
    private Guest guest;

    @BeforeEach
    void makeAContainerWithAGate() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.listen(bed.host, GATE);
        bed.listen(bed.host, 80);
        guest = bed.guest("bridge");
        limit(guest, LIST);
        lead(guest, List.of(LEAD));
    }

    @AfterEach
    void close() {
        bed.close();
    }

    private void limit(Guest of, Egress egress) {
        bed.on(all -> {
            all.limit(of.id(), egress);
            return true;
        });
    }

    private void lead(Guest of, List<GateLead> gates) {
        bed.on(all -> {
            all.memberships().lead(of.id(), gates);
            return true;
        });
    }

    @Test
    void the_port_of_its_gateway_is_the_gate_for_this_container_alone() {
        Guest other = bed.guest("bridge");
        limit(other, LIST);
        assertThat(Bed.connects(guest.namespace(), guest.gateway(), 443)).isTrue();
        assertThat(Bed.isClosed(other.namespace(), other.gateway(), 443)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), GATE)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip(Bed.HOST), 443)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip("192.0.2.77"), 443)).isTrue();
        lead(other, List.of(LEAD)); // which shows that it could be reached
        assertThat(Bed.connects(other.namespace(), other.gateway(), 443)).isTrue();
    }

    @Test
    void the_name_leads_to_the_gateway_also_while_nobody_listens() {
        assertThat(addresses()).containsExactly(guest.gateway());
        lead(guest, List.of(new GateLead(NAME, 443, 0)));
        assertThat(addresses()).containsExactly(guest.gateway());
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 443)).isTrue();
        lead(guest, List.of());
        assertThat(addresses()).isEmpty();
    }

    private List<InetAddress> addresses() {
        try (var names = new RecordedNames(directory)) {
            return names.of(guest.id()).addresses().getOrDefault(NAME, List.of());
        }
    }

    @Test
    void a_gate_goes_with_its_host_from_the_list() {
        limit(guest, Egress.only("other.example.com:443"));
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 443)).isTrue();
        assertThat(addresses()).isEmpty();
        limit(guest, LIST);
        lead(guest, List.of(LEAD, new GateLead("unlisted.example.com", 443, GATE)));
        assertThat(Bed.connects(guest.namespace(), guest.gateway(), 443)).isTrue();
        assertThat(addresses()).hasSize(1);
    }

    @Test
    void a_lead_is_made_again_by_who_has_the_gate_and_goes_with_the_container() {
        bed.host.sh("nft flush ruleset");
        bed.reopen();
        bed.on(all -> {
            all.recover(_ -> true);
            return true;
        });
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 443)).isTrue(); // its port may be another's
        renew();
        assertThat(Bed.connects(guest.namespace(), guest.gateway(), 443)).isTrue();
        bed.on(all -> {
            all.release(guest.id());
            return true;
        });
        assertThat(bed.host.sh("nft list ruleset")).doesNotContain(Integer.toString(GATE));
    }

    private void renew() {
        bed.on(all -> {
            all.memberships().renewLeads(List.of(guest.id(), ContainerId.random()));
            return true;
        });
    }

    private String table() {
        return bed.host.sh("nft list tables inet").strip().split(" ", -1)[2];
    }

    /// Returns the milliseconds after which the only lead goes.
    private long left() {
        Matcher found = Pattern.compile("timeout 10s expires (?:(\\d+)s)?(?:(\\d+)ms)?")
                .matcher(bed.host.sh("nft list map inet " + table() + " gated"));
        assertThat(found.find()).isTrue();
        return Stream.of(found.group(1), found.group(2))
                .map(number -> number == null ? 0L : Long.parseLong(number))
                .reduce(0L, (seconds, rest) -> seconds * 1000 + rest);
    }

    @Test
    void a_lead_that_is_not_renewed_goes_by_itself() throws Exception {
        Thread.sleep(300);
        long left = left();
        assertThat(left).isBetween(0L, 9_700L);
        renew();
        assertThat(left()).isBetween(left + 1, 10_000L);
        String element =
                "'{ " + guest.ip4().getHostAddress() + " . " + guest.gateway().getHostAddress() + " . tcp . 443 }'";
        bed.host.sh("nft delete element inet " + table() + " gated " + element); // as the kernel does when it is time
        bed.on(all -> Bed.publish(all, guest.id(), List.of())); // makes all else of it that is missing
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 443)).isTrue();
        String rules = bed.host.sh("nft -a list chain inet " + table() + " host");
        lead(guest, List.of(new GateLead(NAME, 443, 0)));
        lead(guest, List.of(LEAD));
        assertThat(Bed.connects(guest.namespace(), guest.gateway(), 443)).isTrue();
        assertThat(bed.host.sh("nft -a list chain inet " + table() + " host")).isEqualTo(rules); // not made anew
    }

    @Test
    void a_gate_reaches_what_its_container_may_reach_by_the_name() {
        try (GateReach reach = bed.host.call(() -> new GateReach(directory))) {
            assertThat(reach.allows(guest.id(), NAME, 443)).isTrue();
            assertThat(reach.allows(guest.id(), NAME, 80)).isFalse();
            assertThat(reach.allows(guest.id(), "other.example.com", 443)).isFalse();
            assertThat(reach.isClosed(guest.id())).isFalse();
            Function<String, List<InetAddress>> reached =
                    address -> reach.reached(guest.id(), 443, List.of(Bed.ip(address)));
            assertThat(reached.apply("203.0.113.9")).hasSize(1);
            for (String one : List.of("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", Bed.HOST)) {
                assertThat(reached.apply(one)).as(one).isEmpty();
            }
            lead(guest, List.of(new GateLead(NAME, 443, 0)));
            assertThat(reach.isClosed(guest.id())).isTrue();
            limit(guest, Egress.only("10.0.0.1:443"));
            assertThat(reached.apply("10.0.0.1")).hasSize(1);
            assertThat(reach.allows(guest.id(), NAME, 443)).isFalse();
        }
    }
}
