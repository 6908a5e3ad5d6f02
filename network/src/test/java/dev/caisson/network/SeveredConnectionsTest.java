package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.Network;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Connections that were begun while our tables were gone, and whose other end goes on to send when they are back.
@Tag("root")
class SeveredConnectionsTest extends OnAHost {
    private static final int PORT = 7300;
    /// Sends to whoever asks, again and again, and needs no further question.
    private static final String SENDS = """
            import socket, sys, threading, time
            def send(one):
                while True:
                    try: one(b"x" * 100)
                    except PermissionError: pass
                    except OSError: return
                    time.sleep(0.001)
            tcp = socket.create_server(("0.0.0.0", 7300))
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("0.0.0.0", 7300))
            def answer():
                while True:
                    _, who = udp.recvfrom(9)
                    threading.Thread(target=send, args=(lambda b, w=who: udp.sendto(b, w),), daemon=True).start()
            threading.Thread(target=answer, daemon=True).start()
            print("ready", flush=True)
            while True:
                one, _ = tcp.accept()
                threading.Thread(target=send, args=(one.sendall,), daemon=True).start()
            """;

    /// Says when it first hears something, and what it hears once it is asked to listen: something, or nothing.
    private static final String HEARS = """
            import socket, sys
            kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
            s = socket.socket(socket.AF_INET, kind); s.settimeout(20); s.connect((sys.argv[2], 7300)); s.send(b"x")
            s.recv(100); print("heard", flush=True)
            sys.stdin.readline()
            s.setblocking(False)
            try:
                while s.recv(1 << 16): pass # what is there already
            except BlockingIOError: pass
            s.settimeout(3)
            try: s.recv(100); print("heard", flush=True)
            except TimeoutError: print("nothing", flush=True)
            """;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
    }

    private Process start(Namespace where, String script, String... arguments) {
        var command = new ArrayList<>(List.of("python3", "-I", "-c", script));
        command.addAll(List.of(arguments));
        Process process = where.call(() -> new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
        started.add(process);
        return process;
    }

    /// Somebody who has heard the other once.
    private final class Listener {
        private final Process process;
        private final BufferedReader says;

        Listener(Namespace where, String transport, InetAddress whom) throws IOException {
            process = start(where, HEARS, transport, whom.getHostAddress());
            says = process.inputReader();
            assertThat(says.readLine()).isEqualTo("heard");
        }

        String hearsNow() throws IOException {
            process.outputWriter().append('\n').flush();
            return says.readLine();
        }
    }

    private void serve(Namespace where) throws IOException {
        assertThat(start(where, SENDS).inputReader().readLine()).isEqualTo("ready");
    }

    /// Leaves rules of others, by which the kernel goes on to know connections.
    private void flush() {
        bed.host.sh("nft 'flush ruleset; table inet host { chain input { type filter hook input priority 0;"
                + " ct state established,related accept; }; }'");
    }

    private void makeAgain() {
        bed.<Void>on(all -> {
            all.recover(_ -> true);
            return null;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "udp"})
    void a_service_of_the_host_that_goes_on_to_send_opens_none_again(String transport) throws Exception {
        Guest guest = bed.guest("bridge");
        serve(bed.host);
        flush();
        var listener = new Listener(guest.namespace(), transport, guest.gateway());

        makeAgain();

        assertThat(listener.hearsNow()).isEqualTo("nothing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "udp"})
    void it_stays_so_when_somebody_changes_a_rule_later(String transport) throws Exception {
        Guest guest = bed.guest("bridge");
        serve(bed.host);
        flush();
        var listener = new Listener(guest.namespace(), transport, guest.gateway());
        makeAgain();

        bed.host.sh("nft flush chain inet $(nft list tables inet | grep -o 'caisson-[0-9a-f]*') host");
        makeAgain();

        assertThat(listener.hearsNow()).isEqualTo("nothing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "udp"})
    void what_the_host_began_goes_on(String transport) throws Exception {
        Guest guest = bed.guest("bridge");
        serve(guest.namespace());
        flush();
        var listener = new Listener(bed.host, transport, guest.ip4());

        makeAgain();

        assertThat(listener.hearsNow()).isEqualTo("heard");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "udp"})
    void what_a_container_may_reach_goes_on(String transport) throws Exception {
        var id = ContainerId.random();
        Network.Joined network = Network.on("bridge").hostServices(HostServices.of(PORT + "/" + transport));
        Guest guest = bed.started(id, bed.on(all -> all.attach(id, "", network, ExposedPorts.NONE)));
        serve(bed.host);
        flush();
        var listener = new Listener(guest.namespace(), transport, guest.gateway());

        makeAgain();

        assertThat(listener.hearsNow()).isEqualTo("heard");
    }

    @Test
    void a_neighbor_of_the_host_hears_no_more_of_a_port_that_is_not_published() throws Exception {
        Guest guest = bed.guest("bridge");
        serve(guest.namespace());
        flush();
        bed.neighbor.sh("ip route add "
                + guest.attachments().getFirst().ip4().orElseThrow().subnet() + " via " + Bed.HOST);
        var listener = new Listener(bed.neighbor, "tcp", guest.ip4());

        makeAgain();

        assertThat(listener.hearsNow()).isEqualTo("nothing");
    }
}
