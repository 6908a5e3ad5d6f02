package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.NetworkSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Groups of multicast: who hears whom, and what a container that joins many, or says that it asks for members, does to
/// others.
@Tag("root")
class MulticastTest extends OnAHost {
    private static final String HEARS = """
            import select, socket, struct, sys
            link = socket.if_nametoindex(sys.argv[1])
            all = []
            for group in "239.7.7.7", "224.0.0.251":
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((group, 5353))
                s.setsockopt(0, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton("0.0.0.0") + struct.pack("@i", link))
                all.append(s)
            for group in "ff05::77", "ff02::fb":
                s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind((group, 5353, 0, link))
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("@i", link))
                all.append(s)
            print("ready", flush=True)
            heard = set()
            asked = False # it listens until somebody asks, and for what is on its way then
            while (ready := select.select(all if asked else all + [sys.stdin], [], [], 1 if asked else 60)[0]):
                for s in ready:
                    if s is sys.stdin: asked = True
                    else: heard.add(s.recv(99).decode())
            print(" ".join(sorted(heard)), flush=True)
            """;

    private static final String SENDS = """
            import socket, time
            link = socket.if_nametoindex("eth0")
            for i in range(4):
                for group in "239.7.7.7", "224.0.0.251", "255.255.255.255":
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
                    s.setsockopt(0, socket.IP_MULTICAST_TTL, 9)
                    s.sendto(group.encode(), (group, 5353))
                for group in "ff05::77", "ff02::fb":
                    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 9)
                    s.sendto(group.encode(), (group, 5353, 0, link))
                time.sleep(0.2)
            """;

    /// Asks for members of all groups in the name of the lowest address there is, RFC 2236, 3376 and 2710, and joins
    /// and leaves as much as it can.
    private static final String JOINS = """
            import socket, struct
            def checked(data):
                total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
                while total >> 16: total = (total & 0xffff) + (total >> 16)
                return data[:2] + struct.pack(">H", ~total & 0xffff) + data[4:]
            s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 2)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            for query in b"\\x11\\x64" + bytes(6), b"\\x11\\x64" + bytes(6) + b"\\x02\\x7d\\0\\0":
                s.sendto(checked(query), ("224.0.0.1", 0))
            s6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
            s6.sendto(b"\\x82" + bytes(23), ("ff02::1", 0, 0, socket.if_nametoindex("eth0")))
            link = struct.pack("@i", socket.if_nametoindex("eth0"))
            kept = []
            for n in range(6000):
                if n % 20 == 0: kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                kept[-1].setsockopt(0, socket.IP_ADD_MEMBERSHIP, struct.pack(">I", 0xe8000000 + n) + bytes(4) + link)
            for n in range(2000):
                if n % 500 == 0: kept.append(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
                kept[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, b"\\xff\\x05" + bytes(10) + struct.pack(">I", n + 1000) + link)
            """;

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private Process hears(Namespace where, String link) {
        Process process = where.call(() -> {
            Process started = new ProcessBuilder("python3", "-I", "-c", HEARS, link)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            assertThat(started.inputReader().readLine()).isEqualTo("ready");
            return started;
        });
        open.add(process::destroyForcibly);
        return process;
    }

    private static void runs(Guest guest, String script) {
        guest.namespace().sh("timeout 60 python3 -I - <<'END'\n" + script + "\nEND");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void groups_end_at_the_network_and_are_nobody_s_where_containers_are_apart(boolean together) throws Exception {
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, together, 0, Map.of())));
        bed.on(all -> all.create(new NetworkSpec("other", List.of(), false, true, true, 0, Map.of())));
        Guest attacker = bed.guest("net");
        Guest beside = bed.guest("net");
        Guest sender = bed.guest("net"); // the attacker has used up what the host keeps of its connections
        Guest elsewhere = bed.guest("other");
        String bridge = attacker.attachments().getFirst().bridge();

        runs(attacker, JOINS);
        Process neighbor = hears(beside.namespace(), "eth0");
        Process far = hears(elsewhere.namespace(), "eth0");
        Process outside = hears(bed.neighbor, "lan0");
        Process host = hears(bed.host, bridge);
        runs(sender, SENDS);
        for (Process one : List.of(neighbor, far, outside, host)) {
            one.getOutputStream().close();
        }

        List<String> heard = Stream.of(far, outside, host)
                .map(one -> one.inputReader().lines().findFirst().orElseThrow())
                .toList();
        assertThat(heard).allMatch(String::isEmpty, "nothing");
        assertThat(neighbor.inputReader().lines().findFirst().orElseThrow())
                .isEqualTo(together ? "224.0.0.251 239.7.7.7 ff02::fb ff05::77" : "");
        assertThat(bed.host.sh("bridge mdb show dev " + bridge))
                .as("what the bridge keeps of groups")
                .isEmpty();
    }
}
