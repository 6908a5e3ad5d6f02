package dev.caisson.network;

import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.spec.Subnet;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;

/// One thing that [GuestMessages#links] asks the kernel for, read back from the bytes: what is sent is what
/// is shown and verified.
public sealed interface LinkSetting {
    /// RTM_SETLINK, RTM_NEWADDR and RTM_NEWROUTE.
    int SET_LINK = 19;

    int NEW_ADDRESS = 20;
    int NEW_ROUTE = 24;

    /// Interface index of the link.
    int index();

    /// An address.
    ///
    /// @param routed true if it gives a route to the addresses that share its prefix
    record Address(int index, InetAddress address, int prefix, boolean routed) implements LinkSetting {
        @Override
        public String toString() {
            return AddressText.of(address) + "/" + prefix;
        }
    }

    /// The link is set up.
    record Up(int index) implements LinkSetting {}

    /// A route.
    ///
    /// @param gateway empty for machines that are on the link itself
    record Route(int index, Subnet to, Optional<InetAddress> gateway) implements LinkSetting {
        @Override
        public String toString() {
            return to
                    + gateway.map(address -> " via " + AddressText.of(address)).orElse("");
        }
    }

    /// Reads requests of rtnetlink(7).
    /// @throws IllegalArgumentException if they are not such as [GuestMessages] makes
    static List<LinkSetting> read(byte[] requests) {
        return NetlinkMessage.parse(requests, requests.length).stream()
                .map(LinkSetting::of)
                .toList();
    }

    private static LinkSetting of(NetlinkMessage message) {
        return switch (message.type()) {
            case SET_LINK -> new Up(message.u32(4));
            case NEW_ADDRESS -> address(message);
            case NEW_ROUTE -> route(message);
            default -> throw new IllegalArgumentException("no request of a container: " + message.type());
        };
    }

    private static Address address(NetlinkMessage message) {
        int noPrefixRoute = 0x200;
        NetlinkAttributes attributes = message.attributes(8);
        int flags = attributes.int32(8).orElse(0);
        return new Address(
                message.u32(4), inet(attributes.find(1).orElseThrow()), message.u8(1), (flags & noPrefixRoute) == 0);
    }

    private static Route route(NetlinkMessage message) {
        int ipv6 = 10;
        NetlinkAttributes attributes = message.attributes(12);
        byte[] none = new byte[message.u8(0) == ipv6 ? 16 : 4];
        return new Route(
                attributes.int32(4).orElseThrow(),
                new Subnet(inet(attributes.find(1).orElse(none)), message.u8(1)),
                attributes.find(5).map(LinkSetting::inet));
    }

    private static InetAddress inet(byte[] address) {
        try {
            return InetAddress.getByAddress(address);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an address of " + address.length + " bytes", e);
        }
    }
}
