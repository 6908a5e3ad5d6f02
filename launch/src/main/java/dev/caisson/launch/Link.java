package dev.caisson.launch;

import dev.caisson.network.Attachment;
import dev.caisson.spec.MacAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;

/// A link between a bridge of the host and a container's network namespace, `struct plan_link` in `native/plan.h`.
///
/// @param host name of its end on the host, which begins with `cv`
/// @param bridge that this end is a port of, which begins with `cn`
/// @param guest name of its end in the container
/// @param guestIndex interface index of that end, from 2
/// @param mac hardware address of that end
/// @param isolated true if the port exchanges frames with the bridge itself alone, never with another such port
public record Link(
        String host, String bridge, String guest, int guestIndex, int mtu, MacAddress mac, boolean isolated) {
    /// Most links of one container.
    public static final int MOST = 8;

    /// Length of `struct links`.
    public static final int ALL_BYTES = 4 + 64 * MOST;

    private static final int NAME_BYTES = 16;
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,14}");
    private static final int FIRST_GUEST_INDEX = 2;
    private static final int LEAST_MTU = 68;
    private static final int MOST_MTU = 65535;

    public Link {
        require(NAME.matcher(host).matches() && host.startsWith("cv"), "no name of a link on the host", host);
        require(NAME.matcher(bridge).matches() && bridge.startsWith("cn"), "no name of a bridge", bridge);
        require(NAME.matcher(guest).matches() && !guest.equals("lo"), "no name of a link inside", guest);
        require(guestIndex >= FIRST_GUEST_INDEX, "no index of a link inside", guestIndex);
        require(mtu >= LEAST_MTU && mtu <= MOST_MTU, "no size of a link's packets", mtu);
    }

    static Link of(Attachment place) {
        return new Link(
                place.hostLink(),
                place.bridge(),
                place.guestName(),
                place.guestIndex(),
                place.mtu(),
                place.mac(),
                place.isolated());
    }

    private static void require(boolean condition, String what, Object value) {
        if (!condition) {
            throw new IllegalArgumentException(what + ": " + value);
        }
    }

    /// Returns `struct links`: all links of one container, or none.
    public static byte[] encode(List<Link> links) {
        ByteBuffer out = ByteBuffer.allocate(ALL_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        if (!links.isEmpty()) {
            putAll(links, out);
        }
        return out.array();
    }

    /// Writes `struct links`: all links of one container, at least one.
    public static void putAll(List<Link> links, ByteBuffer out) {
        require(!links.isEmpty() && links.size() <= MOST, "no number of links", links.size());
        var names = new HashSet<Object>();
        for (Link link : links) {
            require(names.add(link.host), "two links of one name on the host", link.host);
            require(names.add(link.guestIndex), "two links of one index inside", link.guestIndex);
        }
        require(links.stream().map(Link::guest).distinct().count() == links.size(), "two links of one name", links);
        int end = out.position() + ALL_BYTES;
        out.putInt(links.size());
        links.forEach(link -> link.put(out));
        while (out.position() < end) {
            out.put((byte) 0);
        }
    }

    private void put(ByteBuffer out) {
        put(host, out);
        put(bridge, out);
        put(guest, out);
        out.putInt(guestIndex).putInt(mtu).put(mac.bytes());
        out.put((byte) (isolated ? 1 : 0)).put((byte) 0);
    }

    private static void put(String name, ByteBuffer out) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        out.put(bytes).put(new byte[NAME_BYTES - bytes.length]);
    }
}
