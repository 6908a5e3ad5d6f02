package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// CVE-2025-9074: the engine's interface listens on the network, where containers reach it.
class Cve2025_9074Test extends BusyboxEngine {
    @Test
    void the_engine_listens_nowhere_while_containers_run() throws Exception {
        Container container = engine.start(busybox("sleep", "100"), Streams.capture());
        try {
            assertThat(HostSockets.listening()).isEmpty();
            assertThat(HostSockets.datagrams()).isEmpty();
            try (var _ = new ServerSocket(0)) {
                assertThat(HostSockets.listening()).as("a socket is found").hasSize(1);
            }
        } finally {
            container.kill();
            container.await();
        }
    }

    @Test
    void what_listens_on_the_host_is_reached_by_none_of_its_addresses() throws Exception {
        try (var server = new ServerSocket(0)) {
            var attempts = new StringBuilder();
            List<String> addresses = addresses();
            assertThat(addresses).contains("127.0.0.1");
            for (String address : addresses) {
                attempts.append("busybox nc -w 1 ")
                        .append(address)
                        .append(' ')
                        .append(server.getLocalPort())
                        .append(" </dev/null && echo reached; ");
            }
            Process outside = new ProcessBuilder("/bin/busybox", "sh", "-c", attempts.toString()).start();
            for (int i = 0; i < addresses.size(); i++) {
                server.setSoTimeout(5000);
                server.accept().close();
            }
            assertThat(outside.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(outside.inputReader().lines())
                    .as("the same from the host")
                    .hasSize(addresses.size());

            RunResult inside = shell(attempts + "echo tried");

            assertThat(inside.stdout()).isEqualTo("tried\n");
        }
    }

    private static List<String> addresses() throws Exception {
        var addresses = new ArrayList<String>();
        for (NetworkInterface link : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            for (InetAddress address : Collections.list(link.getInetAddresses())) {
                if (address instanceof java.net.Inet4Address) {
                    addresses.add(address.getHostAddress());
                }
            }
        }
        return addresses;
    }

    @Test
    void a_container_has_a_loopback_and_no_way_out() throws Exception {
        RunResult result =
                shell("ls /sys/class/net; cat /proc/net/route; grep -c . /proc/net/tcp /proc/net/udp; echo end");

        assertThat(result.stdout().lines().filter(line -> !line.startsWith("Iface")))
                .containsExactly("lo", "/proc/net/tcp:1", "/proc/net/udp:1", "end");
    }
}
