package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Networks, ports and further hosts are read as people write them, and what is unclear is refused.
class NetworkTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            80                        | 0.0.0.0:0->80/tcp
            80/udp                    | 0.0.0.0:0->80/udp
            8080:80                   | 0.0.0.0:8080->80/tcp
            :80                       | 0.0.0.0:0->80/tcp
            127.0.0.1:8080:80         | 127.0.0.1:8080->80/tcp
            127.0.0.1::80             | 127.0.0.1:0->80/tcp
            [::1]:8080:80             | [::1]:8080->80/tcp
            [2001:db8::7]::80/udp     | [2001:db8::7]:0->80/udp
            8000-8001:80-81           | 0.0.0.0:8000->80/tcp 0.0.0.0:8001->81/tcp
            8000-8001                 | 0.0.0.0:0->8000/tcp 0.0.0.0:0->8001/tcp
            65535:65535               | 0.0.0.0:65535->65535/tcp
            """)
    void ports_are_read(String text, String mappings) {
        assertThat(PortText.mappings(text).stream().map(PortMapping::toString).toList())
                .isEqualTo(List.of(mappings.split(" ")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "http",
                "0",
                "65536",
                "8080:",
                "0:80",
                "1:2:3:4",
                "::1:8080:80",
                "[::1]:80",
                "[::1]",
                "[]:8080:80",
                "[::1:8080:80",
                "localhost:8080:80",
                "80/sctp",
                "80/",
                "80/tcp/udp",
                "8000-8002:80",
                "80-79",
                "8000-8001:80",
                "1-2000",
                "80:90-91",
                " 80",
                "-80",
                "80-"
            })
    void what_is_no_port_is_refused(String text) {
        assertThatThrownBy(() -> PortText.mappings(text)).isInstanceOf(ArgumentException.class);
    }

    @Test
    void exposed_ports_are_read() {
        assertThat(PortText.ports("80-81/udp").toString()).isEqualTo("[80/udp, 81/udp]");
        assertThat(PortText.ports("80").toString()).isEqualTo("[80/tcp]");
        assertThatThrownBy(() -> PortText.ports("80:81")).isInstanceOf(ArgumentException.class);
    }

    @Test
    void a_place_on_a_network_is_read_in_either_form() {
        var expected = new NetworkEndpoint(
                "web",
                Optional.of((Inet4Address) AddressText.parse("172.20.0.7").orElseThrow()),
                Optional.of((Inet6Address) AddressText.parse("fd00::7").orElseThrow()),
                Optional.of(MacAddress.parse("02:00:00:00:00:01")),
                List.of("a", "b"));

        assertThat(NetworkEndpoint.parse("web:ip=172.20.0.7,ip6=fd00::7,mac=02:00:00:00:00:01,alias=a,alias=b"))
                .isEqualTo(expected);
        assertThat(NetworkEndpoint.parse(
                        "name=web,ip=172.20.0.7,ip6=fd00::7,mac-address=02:00:00:00:00:01,alias=a,alias=b"))
                .isEqualTo(expected);
        assertThat(NetworkEndpoint.parse("web")).isEqualTo(NetworkEndpoint.on("web"));
        assertThat(NetworkEndpoint.parse("web:")).isEqualTo(NetworkEndpoint.on("web"));
    }

    @ParameterizedTest
    @CsvSource({"db, db:db", "db:database, db:database", "0123456789ab:x.y, 0123456789ab:x.y"})
    void a_link_has_its_own_name_or_the_containers(String text, String link) {
        assertThat(ContainerLink.parse(text)).hasToString(link);
        assertThat(NetworkEndpoint.parse("web:link=" + text).links()).containsExactly(ContainerLink.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", "db:", ":db", "db:-a", "db:a:b", "db:a b", "db:a\nb"})
    void what_is_no_link_is_refused(String text) {
        assertThatThrownBy(() -> ContainerLink.parse(text)).isInstanceOf(ArgumentException.class);
    }

    @Test
    void an_alias_leads_to_one_container() {
        NetworkEndpoint linked = NetworkEndpoint.on("web").link(ContainerLink.parse("db:x"));

        assertThatThrownBy(() -> linked.link(ContainerLink.parse("cache:X")))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("link alias X is given twice");
        assertThatThrownBy(() -> ContainerLink.parse("db:" + "a".repeat(64))).isInstanceOf(ArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", ":ip=172.20.0.7", "web:ip=172.20.0", "web:ip=fd00::7", "web:ip6=172.20.0.7",
                        "web:mac=01:00:00:00:00:01",
                "web:alias=-a", "web:alias=", "web:colour=red", "web:ip", "ip=172.20.0.7", "name=,ip=172.20.0.7"
            })
    void what_is_no_place_is_refused(String text) {
        assertThatThrownBy(() -> NetworkEndpoint.parse(text)).isInstanceOf(ArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "db:192.0.2.7, db:192.0.2.7",
        "db=192.0.2.7, db:192.0.2.7",
        "db:2001:db8::7, db:2001:db8::7",
        "db:[2001:db8::7], db:2001:db8::7",
        "db=2001:db8::7, db:2001:db8::7"
    })
    void further_hosts_are_read(String text, String host) {
        assertThat(ExtraHost.parse(text)).hasToString(host);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "db",
                "db:",
                ":192.0.2.7",
                "db:host",
                "db:host-gateway",
                "d b:192.0.2.7",
                "a\nb:192.0.2.7",
                "db:[::1"
            })
    void what_is_no_further_host_is_refused(String text) {
        assertThatThrownBy(() -> ExtraHost.parse(text)).isInstanceOf(ArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "ndots:2\nnameserver 192.0.2.7", "ndots:", "NDOTS:1"})
    void a_lookup_cannot_hold_lines_of_its_own(String option) {
        assertThatThrownBy(() -> new NameLookup(List.of(), List.of(), List.of(option), List.of()))
                .isInstanceOf(ArgumentException.class);
        assertThatThrownBy(() -> new NameLookup(List.of(), List.of(option + " x"), List.of(), List.of()))
                .isInstanceOf(ArgumentException.class);
    }

    /// Nobody could ever ask for them: a label of a question has 1 to 63 bytes, a name at most 253.
    @ParameterizedTest
    @ValueSource(
            strings = {"x..y", "web.", ".web", "LABEL64", "db.LABEL64", "NAME254", "w\u00e9b", "\u212aey", "-web", ""})
    void a_name_that_no_question_can_carry_is_refused(String text) {
        String name = text.replace("LABEL64", "a".repeat(64)).replace("NAME254", "ab.".repeat(84) + "ab");
        NetworkEndpoint place = NetworkEndpoint.on("net");
        assertThatThrownBy(() -> place.alias(name))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining(Quoted.of(name) + " is not a host name: use");
        assertThatThrownBy(() -> new NameLookup(List.of(), List.of(name), List.of(), List.of()))
                .isInstanceOf(ArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Web", "_srv._tcp", "a-b", "1", "LABEL63.LABEL63.LABEL63.LABEL61"})
    void a_name_that_a_question_can_carry_is_taken(String text) {
        String name = text.replace("LABEL63", "a".repeat(63)).replace("LABEL61", "a".repeat(61));
        assertThat(NetworkEndpoint.on("net").alias(name).aliases()).containsExactly(name);
    }

    @Test
    void no_search_at_all_is_a_dot_alone() {
        assertThat(new NameLookup(List.of(), List.of("."), List.of("ndots:2"), List.of()).search())
                .containsExactly(".");
        assertThatThrownBy(() -> new NameLookup(List.of(), List.of(".", "example.com"), List.of(), List.of()))
                .isInstanceOf(ArgumentException.class);
    }

    @Test
    void a_container_joins_each_network_once_and_not_too_many() {
        Network.Joined one = Network.on("n0");
        assertThatThrownBy(() -> one.and(NetworkEndpoint.on("n0"))).isInstanceOf(ArgumentException.class);
        assertThat(new Network.Joined(List.of(), PublishedPorts.NONE, NameLookup.STANDARD)
                        .and(NetworkEndpoint.on("n0"))
                        .endpoints())
                .isEqualTo(one.endpoints());
        Network.Joined eight = one;
        for (int i = 1; i < 8; i++) {
            eight = eight.and(NetworkEndpoint.on("n" + i));
        }
        Network.Joined full = eight;
        assertThatThrownBy(() -> full.and(NetworkEndpoint.on("n8"))).isInstanceOf(ArgumentException.class);
    }

    @Test
    void the_network_of_a_container_round_trips_and_has_a_name() {
        ContainerSpec spec = ContainerSpec.onHost("true").network(Network.ofContainer("web"));
        assertThat(SpecJson.read(SpecJson.write(spec)).network()).isEqualTo(Network.ofContainer("web"));
        assertThatThrownBy(() -> SpecJson.read(SpecJson.write(spec).replace("\"container\":\"web\"", "\"a\":\"web\"")))
                .hasMessageContaining("the network");
        for (String none : new String[] {"", "-a", "a/b", "a b", "a".repeat(129)}) {
            assertThatThrownBy(() -> Network.ofContainer(none)).hasMessageContaining("is not a container's name");
        }
        assertThat(new Network.OfContainer("ab".repeat(32)).text()).isEqualTo("abababababab");
        assertThat(new Network.OfContainer("web").text()).isEqualTo("web");
    }
}
