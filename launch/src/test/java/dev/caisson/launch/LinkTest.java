package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.caisson.spec.MacAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class LinkTest {
    private static final MacAddress MAC = MacAddress.parse("02:00:00:00:00:01");

    private static Link link(String host, String bridge, String guest, int index, int mtu) {
        return new Link(host, bridge, guest, index, mtu, MAC, false);
    }

    private static byte[] encode(List<Link> links) {
        ByteBuffer out = ByteBuffer.allocate(Link.ALL_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Link.putAll(links, out);
        assertThat(out.remaining()).isZero();
        return out.array();
    }

    @Test
    void a_link_is_written_as_the_native_header_has_it() {
        byte[] bytes = encode(List.of(
                new Link("cv0123456789ab", "cn0123", "eth0", 100, 1500, MacAddress.parse("02:01:02:03:04:05"), true)));

        assertThat(HexFormat.of().formatHex(bytes, 0, 68))
                .isEqualTo("01000000"
                        + "637630313233343536373839616200006"
                        + "36e3031323300000000000000000000"
                        + "65746830000000000000000000000000"
                        + "64000000dc050000020102030405"
                        + "0100");
        for (int i = 68; i < bytes.length; i++) {
            assertThat(bytes[i]).isZero();
        }
    }

    @Test
    void names_and_numbers_that_the_native_side_refuses_are_no_link() {
        link("cv1", "cn1", "eth0", 2, 68);
        for (String host : List.of("", "eth0", "vc1", "cv/1", "cvA", "cv0123456789abcd", "cv%d")) {
            assertThatIllegalArgumentException().as(host).isThrownBy(() -> link(host, "cn1", "eth0", 2, 1500));
        }
        for (String bridge : List.of("", "docker0", "cn.1")) {
            assertThatIllegalArgumentException().as(bridge).isThrownBy(() -> link("cv1", bridge, "eth0", 2, 1500));
        }
        for (String guest : List.of("", "lo", "0eth", "e/")) {
            assertThatIllegalArgumentException().as(guest).isThrownBy(() -> link("cv1", "cn1", guest, 2, 1500));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> link("cv1", "cn1", "eth0", 1, 1500));
        assertThatIllegalArgumentException().isThrownBy(() -> link("cv1", "cn1", "eth0", 2, 67));
        assertThatIllegalArgumentException().isThrownBy(() -> link("cv1", "cn1", "eth0", 2, 65_536));
    }

    @Test
    void links_of_one_container_differ_and_are_not_too_many() {
        Link one = link("cv1", "cn1", "eth0", 2, 1500);

        assertThatIllegalArgumentException().isThrownBy(() -> encode(List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> encode(Collections.nCopies(Link.MOST + 1, one)));
        for (Link other : List.of(
                link("cv1", "cn1", "eth1", 3, 1500),
                link("cv2", "cn1", "eth0", 3, 1500),
                link("cv2", "cn1", "eth1", 2, 1500))) {
            assertThatIllegalArgumentException().isThrownBy(() -> encode(List.of(one, other)));
        }
        assertThat(encode(List.of(one, link("cv2", "cn1", "eth1", 3, 1500)))[0]).isEqualTo((byte) 2);
    }

    @Test
    void requests_are_whole_and_one_of_them_is_acknowledged() {
        byte[] good = Samples.requests(2).bytes();

        for (int length = 0; length < good.length; length++) {
            byte[] shorter = java.util.Arrays.copyOf(good, length);
            assertThatIllegalArgumentException().as("%d bytes", length).isThrownBy(() -> new NetlinkRequests(shorter));
        }
        byte[] unaligned = good.clone();
        unaligned[0] = 17;
        assertThatIllegalArgumentException().isThrownBy(() -> new NetlinkRequests(unaligned));
        byte[] answer = good.clone();
        answer[6] = 0;
        assertThatIllegalArgumentException().isThrownBy(() -> new NetlinkRequests(answer));
        assertThatIllegalArgumentException().isThrownBy(() -> Samples.requests(NetlinkRequests.MAX_BYTES / 16 + 1));
        Samples.requests(NetlinkRequests.MAX_BYTES / 16);
    }
}
