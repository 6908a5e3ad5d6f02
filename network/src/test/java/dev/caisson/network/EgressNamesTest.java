package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers that reach what names on their lists lead to. The names are a server's that cannot be trusted.
@Tag("root")
class EgressNamesTest {
    private static final String SERVER = "203.0.113.53";
    private static final InetAddress NEIGHBOR = Bed.ip(Bed.NEIGHBOR);
    private static final InetAddress NEIGHBOR_6 = Bed.ip("2001:db8::2");
    private static final InetAddress OTHER = Bed.ip("192.0.2.9");
    private static final Duration SHORTEST = Duration.ofSeconds(3);
    private static final List<String> SPECIAL = List.of(
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.254",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            Bed.HOST,
            "::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001:db8::1");

    @TempDir
    private Path directory;

    private Bed bed;
    private NameService names;
    private Process server;
    private Path asked;
    private final List<EgressDenial> denials = new CopyOnWriteArrayList<>();

    @BeforeEach
    void makeAHostWithAServer() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.neighbor.sh("ip addr add 192.0.2.9/32 dev lan0");
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        bed.listen(bed.neighbor, 80);
        bed.listen(bed.neighbor, 81);
        asked = directory.resolve("asked");
        server = server();
        Path none = Files.createFile(directory.resolve("no-servers"));
        names = bed.host.call(() -> new NameService(directory, none, denials::add, SHORTEST));
    }

    private Process server() {
        bed.host.sh("ip addr add " + SERVER + "/32 dev lo");
        var command = new ArrayList<>(List.of(
                "/usr/sbin/dnsmasq",
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--user=root",
                "--pid-file=",
                "--bind-interfaces",
                "--listen-address=" + SERVER,
                "--log-queries",
                "--log-facility=" + asked,
                "--host-record=good.test," + Bed.NEIGHBOR + ",2001:db8::2,300",
                "--cname=alias.test,good.test",
                "--txt-record=good.test,words",
                "--address=/wild.test/192.0.2.9",
                "--address=/mixed.test/192.0.2.9",
                "--address=/mixed.test/10.0.0.1"));
        for (int i = 1; i <= 5; i++) {
            command.add("--address=/w" + i + ".wild.test/192.0.2.1" + i);
        }
        for (int i = 0; i < SPECIAL.size(); i++) {
            command.add("--host-record=evil" + i + ".test," + SPECIAL.get(i));
        }
        Process started = bed.host.call(() -> new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start());
        bed.host.sh("for i in $(seq 100); do ss -Hlnu sport = :53 | grep -q " + SERVER + " && exit; sleep 0.05;"
                + " done; exit 1");
        return started;
    }

    @AfterEach
    void leave() throws Exception {
        names.close();
        server.destroyForcibly().waitFor();
        bed.close();
    }

    private Bed.Guest limited(Egress egress) {
        var id = ContainerId.random();
        Bed.Guest guest = bed.started(
                id, bed.on(all -> all.attach(id, "web", List.of(NetworkEndpoint.on("net")), egress, List.of())));
        Bed.serve(names, guest, Bed.ip(SERVER));
        return guest;
    }

    private static String dig(Bed.Guest guest, String what) {
        return guest.namespace().sh("dig +short @127.0.0.11 " + what).strip();
    }

    private static String status(Bed.Guest guest, String what) {
        return guest.namespace()
                .sh("dig @127.0.0.11 " + what + " | grep -o 'status: [A-Z]*'")
                .strip();
    }

    private String asked() {
        try {
            return Files.readString(asked);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String pins() {
        return bed.host.sh("nft list set inet $(nft list tables inet | grep -o 'caisson.*') reached;"
                + " nft list set inet $(nft list tables inet | grep -o 'caisson.*') reached6");
    }

    private void limit(Bed.Guest guest, Egress egress) {
        bed.on(all -> {
            all.limit(guest.id(), egress);
            return null;
        });
    }

    @Test
    void a_name_on_the_list_opens_its_port_of_its_addresses() {
        Bed.Guest guest = limited(Egress.only("good.test:80"));
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 80))
                .as("before it has asked")
                .isTrue();

        assertThat(dig(guest, "good.test")).isEqualTo(Bed.NEIGHBOR);
        assertThat(dig(guest, "GOOD.test. AAAA")).isEqualTo("2001:db8::2");

        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR_6, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 81)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), OTHER, 80)).isTrue();
        assertThat(names.nameOf(guest.id(), NEIGHBOR)).hasValue("good.test");
    }

    @Test
    void what_one_container_has_asked_opens_nothing_to_another() {
        Bed.Guest one = limited(Egress.only("good.test:80"));
        Bed.Guest two = limited(Egress.only("good.test:80"));
        assertThat(dig(one, "good.test")).isEqualTo(Bed.NEIGHBOR);

        assertThat(Bed.connects(one.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.isClosed(two.namespace(), NEIGHBOR, 80)).isTrue();
    }

    @Test
    void names_that_are_not_on_the_list_are_asked_of_nobody() {
        Bed.Guest guest = limited(Egress.only("good.test:80", "*.wild.test:80"));

        for (String name : List.of(
                "secret-data.evil.test",
                "secret-data.good.test",
                "xgood.test",
                "wild.test",
                "wild.test.evil.test",
                "9.2.0.192.in-addr.arpa",
                "9.2.0.192.in-addr.arpa PTR",
                "secret-data TXT",
                "'secret data.test'")) {
            assertThat(status(guest, name)).as(name).isEqualTo("status: NXDOMAIN");
            assertThat(status(guest, "+tcp " + name)).as(name).isEqualTo("status: NXDOMAIN");
        }

        assertThat(dig(guest, "good.test")).isEqualTo(Bed.NEIGHBOR);
        assertThat(asked()).contains("good.test").doesNotContain("secret").doesNotContain("arpa");
        assertThat(denials).anySatisfy(one -> {
            assertThat(one.container()).isEqualTo(guest.id());
            assertThat(one.name()).hasValue("secret-data.evil.test");
            assertThat(one.reason()).contains("not on its list");
        });
    }

    @Test
    void nothing_but_the_name_goes_out() {
        Bed.Guest guest = limited(Egress.only("good.test:80"));

        assertThat(guest.namespace()
                        .sh("dig +ednsopt=65001:deadbeef +subnet=198.51.100.0/24 @127.0.0.11 gOOd.teST")
                        .strip())
                .contains("gOOd.teST.");
        assertThat(status(guest, "good.test TYPE4711")).isEqualTo("status: NOERROR");
        assertThat(status(guest, "good.test HTTPS")).isEqualTo("status: NOERROR");
        assertThat(dig(guest, "good.test TXT")).isEqualTo("\"words\"");

        assertThat(asked())
                .contains("query[A] good.test")
                .doesNotContain("gOOd")
                .doesNotContain("4711")
                .doesNotContain("HTTPS")
                .doesNotContain("type=65");
    }

    @Test
    void names_below_a_wildcard_are_reached() {
        Bed.Guest guest = limited(Egress.only("*.wild.test:81"));

        assertThat(dig(guest, "a.b.wild.test")).isEqualTo("192.0.2.9");
        assertThat(Bed.connects(guest.namespace(), OTHER, 81)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), OTHER, 80)).isTrue();
    }

    @Test
    void an_alias_of_the_server_leads_on_under_the_name_that_was_asked_for() {
        Bed.Guest guest = limited(Egress.only("alias.test:80"));

        assertThat(dig(guest, "alias.test")).isEqualTo(Bed.NEIGHBOR);
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(status(guest, "good.test")).isEqualTo("status: NXDOMAIN");
    }

    @Test
    void a_name_opens_no_address_of_a_private_network_or_the_host() {
        Bed.Guest guest = limited(Egress.only("*.test:80"));
        Bed.Guest free = limited(Egress.all());

        for (int i = 0; i < SPECIAL.size(); i++) {
            String address = SPECIAL.get(i);
            String question = "evil" + i + ".test " + (address.contains(":") ? "AAAA" : "A");
            assertThat(dig(free, question)).as(address).isEqualTo(address);
            assertThat(dig(guest, question)).as(address).isEmpty();
            assertThat(status(guest, question)).as(address).isEqualTo("status: NOERROR");
        }

        assertThat(pins()).doesNotContain("comment");
        assertThat(denials)
                .anySatisfy(one -> assertThat(one.address()).hasValue(Bed.ip("169.254.169.254")))
                .anySatisfy(one -> assertThat(one.address()).hasValue(Bed.ip(Bed.HOST)));
        assertThat(dig(guest, "mixed.test")).as("what is right of it").isEqualTo("192.0.2.9");
    }

    @Test
    void a_private_address_that_is_on_the_list_itself_is_told_and_its_port_open() {
        bed.neighbor.sh("ip addr add 10.0.0.1/32 dev lan0");
        bed.host.sh("ip route add 10.0.0.1/32 dev lan0");
        Bed.Guest guest = limited(Egress.only("evil1.test:80", "10.0.0.0/24:81"));

        assertThat(dig(guest, "evil1.test")).isEqualTo("10.0.0.1");
        assertThat(Bed.connects(guest.namespace(), Bed.ip("10.0.0.1"), 81)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip("10.0.0.1"), 80)).isTrue();
    }

    @Test
    void what_a_name_opened_closes_by_itself() throws Exception {
        Bed.Guest guest = limited(Egress.only("*.wild.test:80"));
        assertThat(dig(guest, "a.wild.test")).isEqualTo("192.0.2.9"); // known for 0 seconds
        assertThat(Bed.connects(guest.namespace(), OTHER, 80)).isTrue();
        assertThat(pins()).contains("comment \"a.wild.test\"");

        Thread.sleep(SHORTEST.plusMillis(500));
        assertThat(Bed.isClosed(guest.namespace(), OTHER, 80)).isTrue();

        assertThat(dig(guest, "a.wild.test")).isEqualTo("192.0.2.9");
        Thread.sleep(SHORTEST.dividedBy(2));
        assertThat(dig(guest, "a.wild.test")).isEqualTo("192.0.2.9"); // and its time begins anew
        Thread.sleep(SHORTEST.dividedBy(2).plusMillis(400));
        assertThat(Bed.connects(guest.namespace(), OTHER, 80)).isTrue();
    }

    @Test
    void an_answer_that_holds_for_longer_keeps_open_for_as_long() {
        Bed.Guest guest = limited(Egress.only("good.test:80"));

        assertThat(guest.namespace().sh("dig +noall +answer @127.0.0.11 good.test"))
                .contains("\t300\tIN");
        assertThat(pins()).contains("timeout 5m30s");
    }

    @Test
    void a_change_takes_away_what_names_have_opened_and_no_more() {
        Bed.Guest guest = limited(Egress.only("good.test:80", "*.wild.test:80"));
        assertThat(dig(guest, "good.test")).isEqualTo(Bed.NEIGHBOR);
        assertThat(dig(guest, "a.wild.test")).isEqualTo("192.0.2.9");
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();

        limit(guest, Egress.only("*.wild.test:80", "good.test:81"));

        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.connects(guest.namespace(), OTHER, 80)).isTrue();
        assertThat(dig(guest, "good.test")).isEqualTo(Bed.NEIGHBOR);
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 81)).isTrue();
        limit(guest, Egress.none());
        assertThat(status(guest, "good.test")).isEqualTo("status: NXDOMAIN");
        assertThat(pins()).doesNotContain("comment");
    }

    @Test
    void a_list_that_changes_while_a_name_is_asked_for_opens_nothing() throws Exception {
        Bed.Guest guest = limited(Egress.only("good.test:80", "*.wild.test:80"));
        assertThat(dig(guest, "good.test")).isEqualTo(Bed.NEIGHBOR);
        Path record = directory.resolve("containers").resolve(guest.id().value() + ".json");
        // as the other process finds it that has just begun
        Files.writeString(record, Files.readString(record).replace(",*.wild.test:80", ""));

        assertThat(status(guest, "a.wild.test")).isEqualTo("status: SERVFAIL");

        assertThat(pins()).contains("good.test").doesNotContain("wild.test");
        assertThat(Bed.isClosed(guest.namespace(), OTHER, 80)).isTrue();
    }

    @Test
    void an_address_that_is_named_itself_stays_open_whatever_names_do() throws Exception {
        Bed.Guest guest = limited(Egress.only("*.wild.test:80"));
        assertThat(dig(guest, "a.wild.test")).isEqualTo("192.0.2.9");
        limit(guest, Egress.only("*.wild.test:80", "192.0.2.9:80"));
        assertThat(dig(guest, "a.wild.test")).isEqualTo("192.0.2.9");

        Thread.sleep(SHORTEST.plusMillis(500));

        assertThat(Bed.connects(guest.namespace(), OTHER, 80)).isTrue();
    }

    @Test
    void the_next_container_of_an_address_has_nothing_of_the_last_one() {
        Bed.Guest guest = limited(Egress.only("good.test:80"));
        assertThat(dig(guest, "good.test")).isEqualTo(Bed.NEIGHBOR);
        assertThat(pins()).contains("comment");
        bed.on(all -> {
            all.release(guest.id());
            return null;
        });
        assertThat(pins()).doesNotContain("comment");

        Bed.Guest next = limited(Egress.only("good.test:80"));
        assertThat(next.ip4()).isEqualTo(guest.ip4());
        assertThat(Bed.isClosed(next.namespace(), NEIGHBOR, 80)).isTrue();
        // one that is served still, though it is gone
        assertThat(status(guest, "good.test")).isIn("status: NXDOMAIN", "status: REFUSED");
        assertThat(Bed.isClosed(next.namespace(), NEIGHBOR, 80)).isTrue();
    }

    @Test
    void an_address_that_stayed_open_by_accident_is_closed_before_a_container_with_a_list_has_it() throws Exception {
        Bed.Guest guest = limited(Egress.only("good.test:80"));
        assertThat(dig(guest, "good.test")).isEqualTo(Bed.NEIGHBOR);
        Path record = directory.resolve("containers").resolve(guest.id().value() + ".json");
        Files.writeString(record, Files.readString(record).replace("\"good.test:80\"", "\"all\""));
        bed.reopen();
        bed.on(all -> {
            all.release(guest.id());
            return null;
        });
        assertThat(pins()).contains("comment");

        Bed.Guest next = limited(Egress.none());

        assertThat(next.ip4()).isEqualTo(guest.ip4());
        assertThat(pins()).doesNotContain("comment");
        assertThat(Bed.isClosed(next.namespace(), NEIGHBOR, 80)).isTrue();
    }

    @Test
    void names_can_open_a_bounded_number_of_addresses() {
        String ports = IntStream.rangeClosed(1, 1000)
                .mapToObj(port -> "*.wild.test:" + port)
                .collect(Collectors.joining(","));
        Bed.Guest guest = limited(Egress.parse(ports));
        for (int i = 1; i <= 4; i++) {
            assertThat(dig(guest, "w" + i + ".wild.test")).isEqualTo("192.0.2.1" + i);
        }

        assertThat(status(guest, "w5.wild.test")).isEqualTo("status: SERVFAIL");
        assertThat(dig(guest, "w4.wild.test")).as("one that is open").isEqualTo("192.0.2.14");
        assertThat(pins()).doesNotContain("192.0.2.15");
        assertThat(denials.getLast().reason()).contains("too many");
    }

    @Test
    void containers_of_the_network_are_found_whatever_the_list_says() {
        Bed.Guest one = limited(Egress.none());
        Bed.Guest two = limited(Egress.none());

        assertThat(dig(one, two.id().shortForm())).isEqualTo(two.ip4().getHostAddress());
    }

    @Test
    void with_flushed_tables_a_name_does_not_resolve() {
        Bed.Guest guest = limited(Egress.only("good.test:80"));
        bed.host.sh("nft flush ruleset");

        assertThat(status(guest, "good.test")).isEqualTo("status: SERVFAIL");
        assertThat(denials.getLast().reason()).contains("packet filter");
    }
}
