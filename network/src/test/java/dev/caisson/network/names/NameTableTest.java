package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What a container is told, and which names are asked of others.
class NameTableTest {
    private final NameTable table = new NameTable(
            Map.of("web", List.of(ip("10.9.0.2"))),
            Map.of(ip("10.9.0.2"), "web.net"),
            List.of(Subnet.parse("10.9.0.0/24"), Subnet.parse("fd00:9::/64")),
            true);

    @Test
    void names_that_only_end_like_ours_are_asked_of_others() throws MalformedMessage {
        for (String name : List.of("web.example", "xweb", "localhost.example", "notlocalhost", "net")) {
            assertThat(find(name, Wire.TYPE_A)).as(name).isEmpty();
        }
    }

    @Test
    void only_whole_reverse_names_of_our_subnets_are_ours() throws MalformedMessage {
        String six = "1." + "0.".repeat(15) + "0.".repeat(8) + "9.0.0.0.0.0.d.f.ip6.arpa";
        assertThat(find("3.0.9.10.in-addr.arpa", Wire.TYPE_PTR).orElseThrow().code())
                .isEqualTo(Wire.NAME_ERROR);
        assertThat(find(six, Wire.TYPE_PTR).orElseThrow().code()).isEqualTo(Wire.NAME_ERROR);
        for (String name : List.of(
                "0.9.10.in-addr.arpa",
                "300.0.9.10.in-addr.arpa",
                "0002.0.9.10.in-addr.arpa",
                "1.2.0.9.10.in-addr.arpa",
                "in-addr.arpa",
                "x.0.9.10.in-addr.arpa",
                "2.0.8.10.in-addr.arpa",
                "1" + six,
                six.substring(2))) {
            assertThat(find(name, Wire.TYPE_PTR)).as(name).isEmpty();
        }
    }

    @Test
    void a_name_that_nobody_can_ask_for_is_none() {
        String longest = "a".repeat(63);
        assertThat(NameTable.isName(longest + ".b")).isTrue();
        for (String name : List.of("", ".", "a..b", ".a", "a.", longest + "a", "a.".repeat(127) + "a")) {
            assertThat(NameTable.isName(name)).as(name).isFalse();
        }
    }

    @Test
    void an_address_with_a_name_has_no_other_data() throws MalformedMessage {
        assertThat(find("2.0.9.10.in-addr.arpa", Wire.TYPE_PTR).orElseThrow().records())
                .containsExactly(Messages.name("web.net"));
        assertThat(find("2.0.9.10.in-addr.arpa", Wire.TYPE_A).orElseThrow())
                .isEqualTo(new NameTable.Found(Wire.NO_ERROR, List.of()));
    }

    private Optional<NameTable.Found> find(String name, int type) throws MalformedMessage {
        return table.find(QueryTest.read(Messages.query(1, name, type)));
    }

    private static InetAddress ip(String text) {
        return InetAddress.ofLiteral(text);
    }
}
