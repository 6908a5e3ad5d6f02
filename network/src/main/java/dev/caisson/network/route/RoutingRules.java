package dev.caisson.network.route;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The rules that choose a table of routes, `ip rule` of a network namespace.
public final class RoutingRules {
    private static final int GET_RULE = 34;
    private static final int HEADER = 12;
    private static final int TARGET = 1;
    private static final int SOURCE = 2;
    private static final int INPUT_LINK = 3;
    private static final int PRIORITY = 6;
    private static final int MARK = 10;
    private static final int TABLE = 15;
    private static final int OUTPUT_LINK = 17;
    private static final int TO_TABLE = 1;
    private static final List<Integer> CONDITIONS = List.of(TARGET, SOURCE, INPUT_LINK, MARK, OUTPUT_LINK);
    private static final int IPV4 = 2;
    private static final int IPV6 = 10;

    private RoutingRules() {}

    /// Returns the rules of a new namespace, as [#of] writes them.
    ///
    /// @param ipv6 true if the kernel has IPv6
    public static String ofNewNamespace(boolean ipv6) {
        return "ipv4 0:255 32766:254 32767:253" + (ipv6 ? ", ipv6 0:255 32766:254" : "");
    }

    /// Returns all rules of both families, each as its priority and the table that it leads to; one with
    /// a condition has a `?` behind it, and one that leads to no table an `!`. Nothing if the kernel has one
    /// table alone; no word of a family that it lacks.
    public static Optional<String> of(NetlinkSocket socket) {
        Optional<String> four = of(socket, IPV4);
        return four.map(text -> "ipv4 " + text
                + of(socket, IPV6)
                        .filter(six -> !six.isEmpty())
                        .map(six -> ", ipv6 " + six)
                        .orElse(""));
    }

    private static Optional<String> of(NetlinkSocket socket, int family) {
        var request = new NetlinkWriter();
        request.message(GET_RULE, NetlinkWriter.REQUEST | NetlinkWriter.DUMP)
                .u8(family)
                .u8(0)
                .u8(0)
                .u8(0)
                .u32(0)
                .u32(0)
                .end();
        try {
            var rules = new ArrayList<String>();
            for (NetlinkMessage message : socket.dump("the rules of routing", request)) {
                if (message.u8(0) == family) { // a kernel without rules of a family may list those of others
                    rules.add(text(message));
                }
            }
            return Optional.of(String.join(" ", rules));
        } catch (NetlinkException e) {
            if (e.is(Errno.EOPNOTSUPP) || e.is(Errno.EAFNOSUPPORT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static String text(NetlinkMessage message) {
        NetlinkAttributes attributes = message.attributes(HEADER);
        boolean conditional =
                CONDITIONS.stream().anyMatch(type -> attributes.find(type).isPresent());
        return attributes.int32(PRIORITY).orElse(0) + ":"
                + attributes.int32(TABLE).orElse(message.u8(4))
                + (conditional ? "?" : "")
                + (message.u8(7) == TO_TABLE ? "" : "!");
    }
}
