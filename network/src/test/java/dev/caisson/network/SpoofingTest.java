package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Frames that a container with a packet socket sends in the name of others, and whether another one receives them.
/// Each frame carries a mark at its end; those that are honest arrive.
@Tag("root")
class SpoofingTest {
    private static final String MARK = "cafef00d";
    /// The mark of an honest frame that is sent after the other: when it is there, the other will not come any more.
    private static final String AFTER = "cafef00e";
    private static final byte[] OTHER_MAC = HexFormat.of().parseHex("020000000099");

    @TempDir
    private Path directory;

    private Bed bed;
    private Guest attacker;
    private Guest victim;

    @BeforeEach
    void makeAHost() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        // frames are cut to the length of their packets otherwise, and lose their marks
        bed.host.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0");
        attacker = bed.guest("net");
        victim = bed.guest("net");
        // the links are there once the two have spoken
        bed.listen(victim.namespace(), 80);
        assertThat(Bed.connects(attacker.namespace(), victim.ip4(), 80)).isTrue();
        assertThat(Bed.connects(attacker.namespace(), victim.ip6(), 80)).isTrue();
    }

    @AfterEach
    void leave() {
        bed.close();
    }

    @Test
    void ipv4_packets_come_from_their_own_address_and_card() {
        assertThat(arrives(ip4(mac(attacker), attacker.ip4().getAddress(), 1111)))
                .isTrue();
        assertThat(arrives(ip4(mac(attacker), bytes("0a000001"), 1111))).isFalse();
        assertThat(arrives(ip4(mac(attacker), victim.ip4().getAddress(), 1111))).isFalse();
        assertThat(arrives(ip4(mac(attacker), attacker.gateway().getAddress(), 1111)))
                .isFalse();
        assertThat(arrives(ip4(OTHER_MAC, attacker.ip4().getAddress(), 1111))).isFalse();
        assertThat(arrives(ip4(mac(victim), victim.ip4().getAddress(), 1111))).isFalse();
    }

    @Test
    void nobody_serves_addresses_by_dhcp() {
        assertThat(arrives(ip4(mac(attacker), attacker.ip4().getAddress(), 68))).isTrue();
        assertThat(arrives(ip4(mac(attacker), attacker.ip4().getAddress(), 67))).isFalse();
    }

    @Test
    void arp_says_the_truth_in_frame_and_message() {
        byte[] own = attacker.ip4().getAddress();
        byte[] gateway = attacker.gateway().getAddress();

        assertThat(arrives(arp(mac(attacker), mac(attacker), own))).isTrue();
        assertThat(arrives(arp(mac(attacker), mac(attacker), gateway))).isFalse();
        assertThat(arrives(arp(mac(attacker), OTHER_MAC, own))).isFalse();
        assertThat(arrives(arp(OTHER_MAC, OTHER_MAC, own))).isFalse();
        assertThat(arrives(arp(mac(attacker), mac(attacker), new byte[4]))).isFalse();
    }

    @Test
    void ipv6_packets_come_from_their_own_address_and_card() {
        byte[] own = attacker.ip6().getAddress();

        assertThat(arrives(udp6(mac(attacker), own, 1111))).isTrue();
        assertThat(arrives(udp6(mac(attacker), victim.ip6().getAddress(), 1111)))
                .isFalse();
        assertThat(arrives(udp6(OTHER_MAC, own, 1111))).isFalse();
        assertThat(arrives(udp6(mac(attacker), own, 547))).isFalse();
    }

    @Test
    void neighbors_are_advertised_by_themselves_alone() {
        byte[] own = attacker.ip6().getAddress();
        byte[] gateway =
                attacker.attachments().getFirst().ip6().orElseThrow().gateway().getAddress();

        assertThat(arrives(neighbor(136, own, own, 2, mac(attacker)))).isTrue();
        assertThat(arrives(neighbor(136, own, gateway, 2, mac(attacker)))).isFalse();
        assertThat(arrives(neighbor(136, own, own, 2, OTHER_MAC))).isFalse();
        assertThat(arrives(neighbor(135, own, gateway, 1, mac(attacker)))).isTrue();
        assertThat(arrives(neighbor(135, own, gateway, 1, OTHER_MAC))).isFalse();
        assertThat(arrives(neighbor(135, gateway, own, 1, mac(attacker)))).isFalse();
    }

    @Test
    void nobody_is_a_router() {
        byte[] own = attacker.ip6().getAddress();

        for (int type : new int[] {133, 134, 137}) {
            assertThat(arrives(neighbor(type, own, own, 1, mac(attacker))))
                    .as("type " + type)
                    .isFalse();
        }
        // 139 is a query for a node's names, of the same form
        assertThat(arrives(neighbor(139, own, own, 1, mac(attacker)))).isTrue();
    }

    @Test
    void nobody_redirects_ipv4_packets() {
        assertThat(arrives(icmp4(5))).isFalse();
        assertThat(arrives(icmp4(8))).isTrue();
    }

    private byte[] icmp4(int type) {
        byte[] frame = ip4(mac(attacker), attacker.ip4().getAddress(), type << 8);
        frame[23] = 1; // the protocol
        return frame;
    }

    @Test
    void a_destination_option_hides_no_advertisement() {
        byte[] own = attacker.ip6().getAddress();
        byte[] gateway =
                attacker.attachments().getFirst().ip6().orElseThrow().gateway().getAddress();
        byte[] plain = neighbor(136, own, gateway, 2, mac(attacker));
        ByteBuffer hidden = ByteBuffer.allocate(plain.length + 8);
        hidden.put(plain, 0, 54).put(new byte[] {58, 0, 1, 4, 0, 0, 0, 0}).put(plain, 54, plain.length - 54);
        hidden.put(20, (byte) 60).putShort(18, (short) (hidden.capacity() - 54));

        assertThat(arrives(hidden.array())).isFalse();
    }

    @Test
    void options_and_fragments_hide_no_server() {
        byte[] own = attacker.ip4().getAddress();
        byte[] own6 = attacker.ip6().getAddress();
        byte[] gateway =
                attacker.attachments().getFirst().ip6().orElseThrow().gateway().getAddress();

        assertThat(arrives(optioned(ip4(mac(attacker), own, 68)))).isTrue();
        assertThat(arrives(optioned(ip4(mac(attacker), own, 67)))).isFalse();
        assertThat(arrives(firstFragment(ip4(mac(attacker), own, 68)))).isTrue();
        assertThat(arrives(firstFragment(ip4(mac(attacker), own, 67)))).isFalse();
        assertThat(arrives(atomic(udp6(mac(attacker), own6, 1111)))).isTrue();
        assertThat(arrives(atomic(udp6(mac(attacker), own6, 547)))).isFalse();
        assertThat(arrives(atomic(neighbor(136, own6, gateway, 2, mac(attacker)))))
                .isFalse();
    }

    /// Puts eight options without a meaning into a packet.
    private static byte[] optioned(byte[] plain) {
        ByteBuffer frame = ByteBuffer.allocate(plain.length + 8);
        frame.put(plain, 0, 34).put(bytes("0101010101010101")).put(plain, 34, plain.length - 34);
        frame.put(14, (byte) 0x47).putShort(16, (short) (frame.getShort(16) + 8));
        return checked(frame, 42);
    }

    private static byte[] firstFragment(byte[] plain) {
        ByteBuffer frame = ByteBuffer.wrap(plain.clone());
        frame.putShort(20, (short) 0x2000);
        return checked(frame, 34);
    }

    private static byte[] checked(ByteBuffer frame, int end) {
        frame.putShort(24, (short) 0);
        int sum = 0;
        for (int at = 14; at < end; at += 2) {
            sum += Short.toUnsignedInt(frame.getShort(at));
        }
        byte[] whole = new byte[frame.capacity()];
        frame.putShort(24, (short) ~((sum & 0xffff) + (sum >>> 16))).get(0, whole);
        return whole;
    }

    /// Says of a packet that it is a fragment, the only one, RFC 6946.
    private static byte[] atomic(byte[] plain) {
        ByteBuffer frame = ByteBuffer.allocate(plain.length + 8);
        frame.put(plain, 0, 54).put(new byte[] {plain[20], 0, 0, 0, 0, 0, 0, 1}).put(plain, 54, plain.length - 54);
        return frame.put(20, (byte) 44)
                .putShort(18, (short) (frame.capacity() - 54))
                .array();
    }

    @Test
    void other_protocols_and_tagged_frames_do_not_pass() {
        byte[] honest = ip4(mac(attacker), attacker.ip4().getAddress(), 1111);
        ByteBuffer tagged = ByteBuffer.allocate(honest.length + 4);
        tagged.put(honest, 0, 12).put(bytes("81000005")).put(honest, 12, honest.length - 12);
        byte[] other = honest.clone();
        other[12] = (byte) 0x88;
        other[13] = (byte) 0xcc;

        assertThat(arrives(honest)).isTrue();
        assertThat(arrives(tagged.array())).isFalse();
        assertThat(arrives(other)).isFalse();
    }

    @Test
    void the_bridge_learns_no_address_that_is_not_the_containers() {
        String learned =
                "bridge fdb show br " + attacker.attachments().getFirst().bridge();
        byte[] slow = ip4(OTHER_MAC, attacker.ip4().getAddress(), 1111);

        arrives(ip4(OTHER_MAC, attacker.ip4().getAddress(), 1111));
        for (String group : List.of("0180c2000000", "0180c2000003", "0180c200000e")) {
            System.arraycopy(bytes(group), 0, slow, 0, 6);
            arrives(slow);
        }

        assertThat(bed.host.sh(learned))
                .contains(attacker.attachments().getFirst().mac().toString())
                .doesNotContain("02:00:00:00:00:99");
    }

    private boolean arrives(byte[] frame) {
        String marked = HexFormat.of().formatHex(frame) + MARK;
        String after =
                HexFormat.of().formatHex(ip4(mac(attacker), attacker.ip4().getAddress(), 1111)) + AFTER;
        var listening = new Process[1];
        victim.namespace().call(() -> {
            listening[0] = python("import socket,sys\n"
                    + "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(3))\n"
                    + "s.bind(('eth0',0)); s.settimeout(9); print('ready',flush=True)\n"
                    + "while True:\n"
                    + "  f=s.recv(4096)\n"
                    + "  if bytes.fromhex('" + MARK + "') in f: print('yes'); break\n"
                    + "  if bytes.fromhex('" + AFTER + "') in f: print('no'); break\n");
            return listening[0].inputReader().readLine();
        });
        attacker.namespace()
                .call(() -> python("import socket\n"
                                + "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(('eth0',0))\n"
                                + "s.send(bytes.fromhex('" + marked + "'))\n"
                                + "s.send(bytes.fromhex('" + after + "'))")
                        .waitFor());
        String answer = victim.namespace().call(() -> {
            listening[0].waitFor();
            return listening[0].inputReader().readLine();
        });
        assertThat(answer).as("one of the two frames came").isIn("yes", "no");
        return answer.equals("yes");
    }

    private static Process python(String program) throws IOException {
        return new ProcessBuilder("/usr/bin/python3", "-c", program)
                .redirectErrorStream(true)
                .start();
    }

    private ByteBuffer frame(byte[] from, int type, int length) {
        return ByteBuffer.allocate(14 + length).put(mac(victim)).put(from).putShort((short) type);
    }

    private byte[] ip4(byte[] mac, byte[] source, int port) {
        ByteBuffer packet = frame(mac, 0x0800, 28);
        packet.put(bytes("450000200000000040110000"));
        packet.put(source).put(victim.ip4().getAddress());
        packet.putShort((short) port).putShort((short) 9).putShort((short) 12).putShort((short) 0);
        int sum = 0;
        for (int at = 14; at < 34; at += 2) {
            sum += Short.toUnsignedInt(packet.getShort(at));
        }
        byte[] whole = new byte[packet.capacity()];
        packet.putShort(24, (short) ~((sum & 0xffff) + (sum >>> 16))).get(0, whole);
        return whole;
    }

    private byte[] arp(byte[] mac, byte[] sender, byte[] address) {
        return frame(mac, 0x0806, 28)
                .put(bytes("0001080006040002"))
                .put(sender)
                .put(address)
                .put(mac(victim))
                .put(victim.ip4().getAddress())
                .array();
    }

    private byte[] udp6(byte[] mac, byte[] source, int port) {
        return frame(mac, 0x86dd, 48)
                .put(bytes("60000000000c1140"))
                .put(source)
                .put(victim.ip6().getAddress())
                .putShort((short) port)
                .putShort((short) 9)
                .putShort((short) 12)
                .putShort((short) 0)
                .array();
    }

    private byte[] neighbor(int type, byte[] source, byte[] target, int option, byte[] hardware) {
        return frame(mac(attacker), 0x86dd, 72)
                .put(bytes("6000000000203aff"))
                .put(source)
                .put(victim.ip6().getAddress())
                .put(new byte[] {(byte) type, 0, 0, 0, 0x60, 0, 0, 0})
                .put(target)
                .put(new byte[] {(byte) option, 1})
                .put(hardware)
                .array();
    }

    private static byte[] mac(Guest guest) {
        return guest.attachments().getFirst().mac().bytes();
    }

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }
}
