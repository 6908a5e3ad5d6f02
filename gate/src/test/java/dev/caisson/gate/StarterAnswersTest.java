package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.gate.wire.ToProcess;
import dev.caisson.gate.wire.ToStarter;
import dev.caisson.linux.Sockets;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import dev.caisson.spec.Gate;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A process of gates that was taken over gets what its gates have, and nothing else.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class StarterAnswersTest {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();

    private final Sockets.Pair pair = Sockets.pair();
    private final List<String> refusals = new ArrayList<>();
    private volatile boolean allowed = true;
    private volatile List<InetAddress> addresses = List.of(HERE);
    private final AtomicLong now = new AtomicLong(System.nanoTime());

    private StarterAnswers answers(int port) {
        return new StarterAnswers(
                new ProcessSocket(pair.ours(), 1_000),
                List.of(Gate.of("gh").to("api.example.com:" + port)),
                new Origins() {
                    @Override
                    public boolean allows(Gate gate) {
                        return allowed;
                    }

                    @Override
                    public List<InetAddress> addresses(Gate gate) {
                        return addresses;
                    }
                },
                new Notes() {
                    @Override
                    public void used(Gate gate) {
                        // not looked at
                    }

                    @Override
                    public void refused(String host, int port, String reason) {
                        refusals.add(host + " " + reason);
                    }
                },
                now::get);
    }

    private Sockets.Message next() {
        return Sockets.receive(pair.theirs(), ToProcess.MOST_BYTES);
    }

    @Test
    void a_connection_goes_to_an_address_that_the_gate_has_while_it_may() throws Exception {
        try (var server = new ServerSocket(0, 5, HERE)) {
            StarterAnswers answers = answers(server.getLocalPort());
            answers.take(new ToStarter.Addresses(7, 0));
            try (Sockets.Message found = next()) {
                assertThat(ToProcess.read(found.bytes())).isEqualTo(new ToProcess.Found(7, true, List.of(HERE)));
            }
            answers.take(new ToStarter.Connect(8, 0, HERE, 1000));
            try (Sockets.Message connected = next()) {
                assertThat(ToProcess.read(connected.bytes())).isEqualTo(new ToProcess.Connected(8));
                assertThat(connected.descriptors()).hasSize(1);
            }
            allowed = false;
            answers.take(new ToStarter.Connect(9, 0, HERE, 1000));
            try (Sockets.Message refused = next()) {
                assertThat(refused.descriptors()).isEmpty();
            }
        }
    }

    @Test
    void what_no_gate_has_ends_the_process() {
        StarterAnswers answers = answers(443);
        for (ToStarter lie : List.of(
                new ToStarter.Allows(1, 1),
                new ToStarter.Allows(1, -1),
                new ToStarter.Addresses(1, 7),
                new ToStarter.Connect(1, 0, HERE, 1000), // whose addresses were not asked for
                new ToStarter.Used(3),
                new ToStarter.Refused("elsewhere.example.com", 443, "reason"),
                new ToStarter.Refused("", 80, "reason"),
                new ToStarter.Ready(),
                new ToStarter.Done(),
                new ToStarter.Failed("nothing"))) {
            assertThatThrownBy(() -> answers.take(lie)).as(lie.toString()).isInstanceOf(ProtocolException.class);
        }
        assertThat(refusals).isEmpty();
    }

    @Test
    void an_address_that_another_name_has_is_not_connected_to() throws Exception {
        StarterAnswers answers = answers(443);
        answers.take(new ToStarter.Addresses(1, 0));
        next().close();
        assertThatThrownBy(() -> answers.take(new ToStarter.Connect(2, 0, InetAddress.ofLiteral("192.0.2.7"), 1000)))
                .isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> answers.take(new ToStarter.Connect(2, 0, HERE, 0)))
                .isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> answers.take(new ToStarter.Connect(2, 0, HERE, 1_000_000)))
                .isInstanceOf(ProtocolException.class);
    }

    @Test
    void an_address_is_connected_to_for_some_time_also_if_the_host_is_found_elsewhere_meanwhile() throws Exception {
        try (var server = new ServerSocket(0, 5, HERE)) {
            StarterAnswers answers = answers(server.getLocalPort());
            answers.take(new ToStarter.Addresses(1, 0));
            next().close();
            addresses = List.of(InetAddress.ofLiteral("192.0.2.7"));
            answers.take(new ToStarter.Addresses(2, 0));
            next().close();
            answers.take(new ToStarter.Connect(3, 0, HERE, 1000));
            try (Sockets.Message connected = next()) {
                assertThat(connected.descriptors()).hasSize(1);
            }
            now.addAndGet(TimeUnit.MINUTES.toNanos(3));
            answers.take(new ToStarter.Connect(4, 0, HERE, 1000));
            try (Sockets.Message late = next()) {
                assertThat(ToProcess.read(late.bytes())).isEqualTo(new ToProcess.Connected(4));
                assertThat(late.descriptors()).isEmpty();
            }
        }
    }

    @Test
    void a_reason_has_no_control_characters() throws Exception {
        answers(443).take(new ToStarter.Refused("api.example.com", 443, "a\u001b[31m\nb"));
        assertThat(refusals).containsExactly("api.example.com a?[31m?b");
    }

    @Test
    void bytes_that_are_no_message_are_refused_as_such() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(64)];
            random.nextBytes(bytes);
            if (bytes.length > 0) {
                bytes[0] = (byte) random.nextInt(10);
            }
            try {
                ToStarter read = ToStarter.read(bytes);
                assertThat(ToStarter.read(read.bytes())).as("seed %d", seed).isEqualTo(read);
            } catch (ProtocolException e) {
                assertThat(e).hasMessageContaining("a message ");
            }
        }
    }

    @Test
    void the_filter_kills_for_what_leads_out_and_denies_what_a_jvm_can_live_without() {
        Filter filter = GateProfile.filter();
        Architecture here = Architecture.host();
        for (String call :
                List.of("execve", "execveat", "ptrace", "bpf", "mount", "unshare", "setns", "process_vm_readv")) {
            assertThat(filter.decide(here, call)).as(call).isEqualTo(Action.KILL_PROCESS);
        }
        for (String call : List.of(
                "socket",
                "socketpair",
                "connect",
                "bind",
                "listen",
                "kill",
                "tgkill",
                "ioctl",
                "memfd_create",
                "prlimit64",
                "setresuid")) {
            assertThat(filter.decide(here, call)).as(call).isEqualTo(Action.errno(1));
        }
        assertThat(filter.decide(here, "clone", 0x3d0f00)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(here, "clone", 0x11)).isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "clone3")).isEqualTo(Action.errno(38));
        assertThat(filter.decide(here, "openat", 0, 0, 0_2000000)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(here, "openat", 0, 0, 1)).isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "openat", 0, 0, 0100)).isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "prctl", 15)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(here, "prctl", 4, 1)).isEqualTo(Action.errno(1));
    }

    @Test
    void sockets_that_the_process_was_handed_lead_nowhere_else_and_carry_no_descriptors() {
        Filter filter = GateProfile.filter();
        Architecture here = Architecture.host();
        int noSignal = 0x4000;
        int fastOpen = 0x2000_0000;
        assertThat(filter.decide(here, "sendto", 9, 1, 1, noSignal)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(here, "sendto", 9, 1, 1, noSignal, 0x7f00_1000, 16))
                .isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "sendto", 9, 1, 1, noSignal, 1L << 32, 16))
                .isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "sendto", 9, 1, 1, noSignal | fastOpen)).isEqualTo(Action.errno(1));
        for (String call : List.of("sendmsg", "sendmmsg", "getsockopt", "splice", "sendfile")) {
            assertThat(filter.decide(here, call)).as(call).isEqualTo(Action.errno(1));
        }
        assertThat(filter.decide(here, "setsockopt", 9, 6, 1)).as("TCP_NODELAY").isEqualTo(Action.ALLOW);
        assertThat(filter.decide(here, "setsockopt", 9, 1, 13)).as("SO_LINGER").isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "setsockopt", 9, 6, 31)).as("TCP_ULP").isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "fcntl", 9, 1030)).as("F_DUPFD_CLOEXEC").isEqualTo(Action.ALLOW);
        assertThat(filter.decide(here, "fcntl", 9, 1024)).as("F_SETLEASE").isEqualTo(Action.errno(1));
        assertThat(filter.decide(here, "fcntl", 9, 6)).as("F_SETLK").isEqualTo(Action.errno(1));
    }
}
