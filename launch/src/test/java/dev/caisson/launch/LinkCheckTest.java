package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.Verifier.Check;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Links, addresses and routes as `/proc/PID/net` shows them, beside what was planned. The files are those of a kernel,
/// of which a test changes one line.
class LinkCheckTest {
    private static final LaunchPlan PLAN =
            Samples.plan(Samples.spec().network(Network.on("web").and(NetworkEndpoint.on("back"))), Samples.networks());
    private static final String NO_ADDRESS = "0".repeat(32);
    private static final String SUBNET_6 = "fd000020" + "0".repeat(24);
    private static final String GATEWAY_6 = "fd000020" + "0".repeat(23) + "1";
    private static final String OWN_6 = "fd000020" + "0".repeat(23) + "7";
    private static final String ROUTES = "eth0 0.0.0.0/0 via 172.20.0.1, eth0 172.20.0.0/16, eth0 ::/0 via fd00:20::1,"
            + " eth0 fd00:20::/64, eth1 10.9.0.0/24 via 10.9.0.1, eth1 10.9.0.1/32";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path process;

    @BeforeEach
    void asPlanned() throws IOException {
        Files.createDirectory(process.resolve("net"));
        write("dev", """
                Inter-|   Receive                                                |  Transmit
                 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
                  eth0: 1000010      11    0    0    0     0          0         0      656       8    0    0    0     0       0          0
                  eth1:    1006      11    0    0    0     0          0         0      656       8    0    0    0     0       0          0
                 tunl0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
                ip6gre0:      0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
                """);
        write("fib_trie", """
                Main:
                  +-- 0.0.0.0/0 3 0 5
                     |-- 0.0.0.0
                        /0 universe UNICAST
                     |-- 10.9.0.0
                        /24 link UNICAST
                     |-- 172.20.0.0
                        /16 link UNICAST
                Local:
                  +-- 0.0.0.0/0 3 0 5
                     |-- 10.9.0.7
                        /32 host LOCAL
                     |-- 10.9.0.255
                        /32 link BROADCAST
                     |-- 127.0.0.0
                        /8 host LOCAL
                     |-- 127.0.0.1
                        /32 host LOCAL
                     |-- 172.20.0.7
                        /32 host LOCAL
                     |-- 172.20.255.255
                        /32 link BROADCAST
                """);
        write("if_inet6", """
                00000000000000000000000000000001 01 80 10 80       lo
                fe80000000000000000000fffe000001 64 40 20 80     eth0
                %s 64 40 00 80     eth0
                """.formatted(OWN_6));
        write("route", """
                Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
                eth0\t00000000\t010014AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
                eth0\t000014AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
                eth1\t0000090A\t0100090A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
                eth1\t0100090A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
                """);
        write(
                "ipv6_route",
                route6(SUBNET_6, 0x40, NO_ADDRESS, 0x00000001, "eth0")
                        + route6(NO_ADDRESS, 0, GATEWAY_6, 0x00000003, "eth0")
                        + route6(OWN_6, 0x80, NO_ADDRESS, 0x80200001L, "eth0")
                        + route6("fd000020" + "0".repeat(24), 0x80, NO_ADDRESS, 0x00100001, "eth0")
                        + route6("fe80" + "0".repeat(28), 0x40, NO_ADDRESS, 0x00000001, "eth0")
                        + route6("ff00" + "0".repeat(28), 0x08, NO_ADDRESS, 0x00000001, "eth0")
                        + route6("0".repeat(31) + "1", 0x80, NO_ADDRESS, 0x00000001, "lo")
                        + route6(NO_ADDRESS, 0, NO_ADDRESS, 0x00200200, "eth0"));
    }

    private static String route6(String to, int prefix, String gateway, long flags, String link) {
        return "%s %02x %s 00 %s 00000100 00000001 00000000 %08x %8s%n"
                .formatted(to, prefix, NO_ADDRESS, gateway, flags, link);
    }

    private void write(String name, String text) {
        try {
            Files.writeString(process.resolve("net").resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void replace(String name, String before, String after) throws IOException {
        String text = Files.readString(process.resolve("net").resolve(name));
        assertThat(text).contains(before);
        write(name, text.replace(before, after));
    }

    private void add(String name, String line) throws IOException {
        write(name, Files.readString(process.resolve("net").resolve(name)) + line);
    }

    private List<Check> checks() {
        try (Fd directory = FileSystem.open(process.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return LinkCheck.of(directory, PLAN);
        }
    }

    /// Asserts that one subject alone differs, and how it was found.
    private void assertDiffers(String subject, String found) {
        assertThat(checks())
                .allSatisfy(check -> assertThat(check.asPlanned())
                        .as(check.toString())
                        .isEqualTo(!check.subject().equals(subject)));
        assertThat(checks())
                .filteredOn(check -> check.subject().equals(subject))
                .singleElement()
                .extracting(Check::found)
                .isEqualTo(found);
    }

    @Test
    void a_container_that_is_as_planned_has_its_links_addresses_and_routes() {
        assertThat(checks())
                .containsExactly(
                        new Check("links", "eth0, eth1", "eth0, eth1", true),
                        new Check(
                                "addresses",
                                "10.9.0.7, 172.20.0.7, fd00:20::7",
                                "10.9.0.7, 172.20.0.7, fd00:20::7",
                                true),
                        new Check("routes", ROUTES, ROUTES, true));
    }

    @Test
    void a_container_with_loopback_alone_has_nothing_to_compare() {
        try (Fd directory = FileSystem.open(process.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            assertThat(LinkCheck.of(directory, Samples.plan())).isEmpty();
        }
    }

    @Test
    void a_link_too_many_or_too_few_is_seen() throws IOException {
        replace("dev", "tunl0:", "tunl1:");
        assertDiffers("links", "eth0, eth1, tunl1");
        replace("dev", "tunl1:", "tunl0:");
        replace("dev", "  eth1:", "  sit0:");
        assertDiffers("links", "eth0");
    }

    @Test
    void an_address_too_many_or_too_few_is_seen() throws IOException {
        replace("fib_trie", "172.20.0.7\n", "172.20.0.8\n");
        assertDiffers("addresses", "10.9.0.7, 172.20.0.8, fd00:20::7");
        replace("fib_trie", "172.20.0.8\n", "172.20.0.7\n");
        add("if_inet6", "fd000020000000000000000000000009 64 40 00 80     eth0\n");
        assertDiffers("addresses", "10.9.0.7, 172.20.0.7, fd00:20::7, fd00:20::9");
        write("if_inet6", "");
        assertDiffers("addresses", "10.9.0.7, 172.20.0.7");
    }

    @Test
    void another_route_gateway_or_subnet_is_seen() throws IOException {
        replace("route", "010014AC", "020014AC");
        assertDiffers("routes", ROUTES.replace("via 172.20.0.1", "via 172.20.0.2"));
        replace("route", "020014AC", "010014AC");
        replace("route", "0000FFFF", "0000FF7F");
        replace("route", "0000FF7F", "00C0FFFF");
        assertDiffers("routes", ROUTES.replace("172.20.0.0/16", "172.20.0.0/18"));
        replace("route", "00C0FFFF", "0000FFFF");
        replace("ipv6_route", GATEWAY_6, GATEWAY_6.replace("1", "3"));
        assertDiffers("routes", ROUTES.replace("via fd00:20::1", "via fd00:20::3"));
        replace("ipv6_route", GATEWAY_6.replace("1", "3"), GATEWAY_6);
        add("ipv6_route", route6("fd0000ab" + "0".repeat(24), 0x30, NO_ADDRESS, 1, "eth1"));
        assertDiffers("routes", ROUTES + ", eth1 fd00:ab::/48");
    }

    @Test
    void a_route_on_a_link_of_its_own_is_seen() throws IOException {
        add("route", "wg0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n");
        assertDiffers("routes", ROUTES + ", wg0 10.0.0.0/8");
    }

    /// As a router of the network tells it.
    @Test
    void a_route_that_ends_some_time_is_seen() throws IOException {
        add("ipv6_route", route6("fd0000cd" + "0".repeat(24), 0x30, NO_ADDRESS, 0x00400001, "eth0"));
        assertThat(checks().getLast().found()).contains("eth0 fd00:cd::/48");
    }

    @Test
    void what_is_no_address_is_told() {
        write("if_inet6", "fd00 64 40 00 80     eth0\n");
        assertThatThrownBy(this::checks)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("an address of 4 digits");
    }
}
