package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The host's servers are those of its resolv.conf, as it is at the moment.
class HostServersTest {
    @TempDir
    Path directory;

    @Test
    void the_first_three_servers_are_read_and_broken_lines_left_out() {
        List<InetSocketAddress> servers = HostServers.parse("""
                # nameserver 192.0.2.9
                nameserver 192.0.2.1
                nameserver
                nameserver not-an-address
                  nameserver\t2001:db8::1  # comment
                nameserver fe80::1%no-such-link
                search example.test
                nameserver 192.0.2.3
                nameserver 192.0.2.4
                """);

        assertThat(servers)
                .extracting(server -> server.getAddress().getHostAddress() + " " + server.getPort())
                .containsExactly("192.0.2.1 53", "2001:db8:0:0:0:0:0:1 53", "192.0.2.3 53");
    }

    @Test
    void a_change_is_followed_and_a_file_that_is_gone_changes_nothing() throws Exception {
        Path file = directory.resolve("resolv.conf");
        Files.writeString(file, "nameserver 192.0.2.1\n");
        var servers = new HostServers(file);
        assertThat(only(servers)).isEqualTo("192.0.2.1");

        replace(file, "nameserver 192.0.2.2\n");
        Thread.sleep(1_100);
        assertThat(only(servers)).isEqualTo("192.0.2.2");

        Files.delete(file);
        Thread.sleep(1_100);
        assertThat(only(servers)).isEqualTo("192.0.2.2");

        Files.writeString(file, "nameserver 192.0.2.3\n");
        Thread.sleep(1_100);
        assertThat(only(servers)).isEqualTo("192.0.2.3");
    }

    private static String only(HostServers servers) {
        assertThat(servers.servers()).hasSize(1);
        return servers.servers().getFirst().getAddress().getHostAddress();
    }

    private static void replace(Path file, String text) throws IOException {
        Path next = file.resolveSibling("next");
        Files.writeString(next, text);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
