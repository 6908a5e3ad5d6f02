package dev.caisson.launch;

/// A netlink(7) family that init sends requests to, in the container's own network namespace.
public enum NetlinkProtocol {
    /// Links, addresses and routes, rtnetlink(7).
    ROUTE(0),
    /// Tables of the packet filter.
    NETFILTER(12);

    private final int number;

    NetlinkProtocol(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    static NetlinkProtocol of(int number) {
        for (NetlinkProtocol protocol : values()) {
            if (protocol.number == number) {
                return protocol;
            }
        }
        throw new IllegalArgumentException("no netlink protocol of a plan has number " + number);
    }
}
