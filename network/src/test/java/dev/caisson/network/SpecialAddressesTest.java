package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A name may lead to no address that stands for the host, its neighbors or nobody, in whatever form it is written.
class SpecialAddressesTest {
    private static boolean isSpecial(String address) {
        return SpecialAddresses.contain(InetAddress.ofLiteral(address));
    }

    /// The first and the last of each range, and the addresses before and behind it.
    @ParameterizedTest
    @CsvSource({
        "0.0.0.0, 0.255.255.255, , 1.0.0.0",
        "10.0.0.0, 10.255.255.255, 9.255.255.255, 11.0.0.0",
        "100.64.0.0, 100.127.255.255, 100.63.255.255, 100.128.0.0",
        "127.0.0.0, 127.255.255.255, 126.255.255.255, 128.0.0.0",
        "169.254.0.0, 169.254.255.255, 169.253.255.255, 169.255.0.0",
        "172.16.0.0, 172.31.255.255, 172.15.255.255, 172.32.0.0",
        "192.0.0.0, 192.0.0.255, 191.255.255.255, 192.0.1.0",
        "192.168.0.0, 192.168.255.255, 192.167.255.255, 192.169.0.0",
        "198.18.0.0, 198.19.255.255, 198.17.255.255, 198.20.0.0",
        "224.0.0.0, 255.255.255.255, 223.255.255.255,",
        "::, 64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff, , 64:ff9b::808:808",
        "64:ff9b::1:0:0, ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 64:ff9b::9.9.9.9, ",
        "100::, 100:0:0:1:ffff:ffff:ffff:ffff, , 100:0:0:2::",
        "2001::, 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff, 2000:ffff::, 2001:200::",
        "5f00::, 5f00:ffff::, 5eff:ffff::, 5f01::",
        "fc00::, fdff:ffff::1, fbff::1, fe00::1",
        "fe80::, feff:ffff::1, fe7f::1, ",
        "ff00::, ffff:ffff::1, , ",
    })
    void each_range_begins_and_ends_where_its_registry_says(String first, String last, String before, String behind) {
        assertThat(isSpecial(first)).as(first).isTrue();
        assertThat(isSpecial(last)).as(last).isTrue();
        for (String beside : new String[] {before, behind}) {
            if (beside != null) {
                assertThat(isSpecial(beside)).as(beside).isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "64:ff9b::127.0.0.1",
                "64:ff9b::10.1.2.3",
                "64:ff9b::a9fe:a9fe",
                "2002:7f00:1::",
                "2002:a9fe:a9fe::1",
                "2002:c0a8:101:5::1",
                "::ffff:127.0.0.1",
                "::127.0.0.1",
                "::ffff:0:7f00:1",
                "64:ff9b:1::808:808",
            })
    void an_address_that_stands_for_a_special_one_is_special(String address) {
        assertThat(isSpecial(address)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "64:ff9b::8.8.8.8",
                "2002:808:808::1",
                "2002:808:7f00:1::",
                "2003:7f00:1::",
                "::ffff:8.8.8.8",
                "8.8.8.8",
                "192.0.2.1",
                "2001:db8::1",
                "2606:4700::1111",
            })
    void other_addresses_are_not(String address) {
        assertThat(isSpecial(address)).isFalse();
    }
}
