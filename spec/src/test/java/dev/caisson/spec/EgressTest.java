package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import java.net.InetAddress;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EgressTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "all|all",
                "none|none",
                "Example.COM:443|example.com:443",
                "*.example.com:443/tcp|*.example.com:443",
                "time.example.com:123/udp|time.example.com:123/udp",
                "192.0.2.7:443|192.0.2.7:443",
                "192.0.2.7/32:443|192.0.2.7:443",
                "10.0.0.0/8:5000-5010/udp|10.0.0.0/8:5000-5010/udp",
                "10.0.0.0/8:*|10.0.0.0/8:*",
                "0.0.0.0/0:443|0.0.0.0/0:443",
                "[2001:DB8::7]:53/udp|[2001:db8::7]:53/udp",
                "[2001:db8::/32]:1-65535|[2001:db8::/32]:*",
                "localhost:80|localhost:80",
                "a:1,b:2,a:1|a:1,b:2",
                "Example.com:443/sni,*.example.com:443/sni|example.com:443/sni,*.example.com:443/sni",
                "a.test:443/sni,b.test:443,a.test.other:80|a.test:443/sni,b.test:443,a.test.other:80",
                "_srv.example.com:80|_srv.example.com:80",
                "xn--bcher-kva.example:443|xn--bcher-kva.example:443"
            })
    void is_read_and_written(String text, String written) {
        Egress egress = Egress.parse(text);

        assertThat(egress.text()).isEqualTo(written);
        assertThat(Egress.parse(written)).isEqualTo(egress);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "a:1,",
                "example.com",
                "example.com:",
                "example.com:0",
                "example.com:65536",
                "example.com:443-444",
                "example.com:*",
                "example.com..:443",
                "example.com:443/icmp",
                "example.com:80/sni",
                "192.0.2.7:443/sni",
                "10.0.0.0/8:443/sni",
                "a.test:443/sni,a.test:80",
                "a.test:443/sni,a.test:443/udp",
                "a.test:443/sni,a.test:443",
                "*.test:443/sni,a.test:80",
                "a.test:443/sni,*.test:80",
                "*:443",
                "*.:443",
                "*.*.example.com:443",
                "a*.example.com:443",
                "-a.example.com:443",
                "a b.example.com:443",
                "bücher.example:443",
                "1.2.3:443",
                "1.2.3.4.5:443",
                "010.0.0.1:443",
                "10.0.0.1/8:443",
                "10.0.0.0/33:443",
                "192.0.2.7:444-443",
                "192.0.2.7:*-5",
                "2001:db8::7:443",
                "[192.0.2.7]:443",
                "[example.com]:443",
                "[2001:db8::7:443",
                "all,none",
                "ALL"
            })
    void what_is_no_destination_is_refused(String text) {
        assertThatThrownBy(() -> Egress.parse(text)).isInstanceOf(ArgumentException.class);
    }

    @Test
    void a_name_of_more_than_the_bytes_of_dns_is_refused() {
        String label = "a".repeat(63);
        String name = String.join(".", label, label, label, "b".repeat(61));
        assertThat(Destination.parse(name + ":1").text()).isEqualTo(name + ":1");
        assertThatThrownBy(() -> Destination.parse(name + "b:1")).isInstanceOf(ArgumentException.class);
        assertThatThrownBy(() -> Destination.parse("a".repeat(64) + ":1")).isInstanceOf(ArgumentException.class);
    }

    @Test
    void a_wildcard_stands_for_every_name_below_and_not_for_itself() {
        Egress.Listed listed = Egress.only("*.example.com:443", "example.org:80", "example.org:81/udp");

        assertThat(listed.of("a.example.com")).hasSize(1);
        assertThat(listed.of("A.b.Example.com")).hasSize(1);
        for (String other : List.of("example.com", "badexample.com", "example.com.evil.net", ".example.net")) {
            assertThat(listed.of(other)).as(other).isEmpty();
        }
        assertThat(listed.of("example.org")).hasSize(2);
        assertThat(listed.of("a.example.org")).isEmpty();
    }

    @Test
    void an_address_is_named_by_itself_or_its_subnet() throws Exception {
        Egress.Listed listed = Egress.only("10.1.0.0/16:443", "[fd00::7]:1");

        assertThat(listed.hasAddress(InetAddress.getByName("10.1.2.3"))).isTrue();
        assertThat(listed.hasAddress(InetAddress.getByName("fd00::7"))).isTrue();
        assertThat(listed.hasAddress(InetAddress.getByName("10.2.0.1"))).isFalse();
        assertThat(listed.hasAddress(InetAddress.getByName("fd00::8"))).isFalse();
    }

    @Test
    void a_file_has_a_destination_a_line_and_comments() {
        Egress.Listed read = Egress.ofLines(Stream.of("# what it needs", "", " example.com:443 # pages", "10.0.0.1:1"));

        assertThat(read).isEqualTo(Egress.only("example.com:443", "10.0.0.1:1"));
        assertThatThrownBy(() -> Egress.ofLines(Stream.of("a:1,b:2"))).isInstanceOf(ArgumentException.class);
        assertThat(Egress.ofLines(Stream.of("# nothing"))).isEqualTo(Egress.none());
    }

    @Test
    void a_list_has_an_end() {
        String many =
                IntStream.rangeClosed(1, 1024).mapToObj(port -> "a:" + port).collect(Collectors.joining(","));

        assertThat(Egress.parse(many).hasNames()).isTrue();
        assertThatThrownBy(() -> Egress.parse(many + ",b:1")).isInstanceOf(ArgumentException.class);
    }

    @Test
    void a_list_of_addresses_has_no_names() {
        assertThat(Egress.only("192.0.2.7:1").hasNames()).isFalse();
        assertThat(Egress.none().hasNames()).isFalse();
        assertThat(Egress.all().hasNames()).isFalse();
    }

    @Test
    void port443_of_names_is_reached_by_greetings() {
        Egress egress = Egress.parse("a.test:443,*.b.test:443,c.test:80,d.test:443/udp,10.0.0.0/8:443");

        assertThat(egress.greets()).isFalse();
        assertThat(egress.greeted().greets()).isTrue();
        assertThat(egress.greeted().text())
                .isEqualTo("a.test:443/sni,*.b.test:443/sni,c.test:80,d.test:443/udp,10.0.0.0/8:443");
        assertThat(egress.greeted().greeted()).isEqualTo(egress.greeted());
        Egress.Listed list = (Egress.Listed) egress.greeted();
        assertThat(list.greets("A.test")).isTrue();
        assertThat(list.greets("x.b.test")).isTrue();
        assertThat(list.greets("b.test")).isFalse();
        assertThat(list.greets("c.test")).isFalse();
        for (Egress none : List.of(Egress.all(), Egress.none(), Egress.parse("a.test:80,10.0.0.0/8:443"))) {
            assertThatThrownBy(none::greeted)
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("example.com:443");
        }
    }
}
