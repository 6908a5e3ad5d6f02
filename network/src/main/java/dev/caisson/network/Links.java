package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.network.route.RouteMessages;
import dev.caisson.network.route.RouteQueries;
import java.nio.ByteBuffer;

/// Links of containers that run already, made as the C program makes them at a start: a port of the bridge without an
/// address, and the other end in the container's namespace.
final class Links {
    private static final int FIRST_HOST_INDEX = 1 << 24;
    private static final int TRIES = 8;

    private final NetlinkSocket socket;

    Links(NetlinkSocket socket) {
        this.socket = socket;
    }

    /// Makes a link whole, or leaves nothing of it.
    ///
    /// @param namespace a descriptor of the container's network namespace
    void make(Attachment place, Fd namespace) {
        requireOther(namespace);
        int bridge = RouteQueries.link(socket, place.bridge())
                .orElseThrow(() -> new NetworkException(
                        Code.NETWORK_REFUSED,
                        "bridge " + place.bridge() + " of network " + place.network()
                                + " is gone: start a container on the network, which makes it again"))
                .index();
        int index = pair(place, bridge, namespace);
        try {
            String disabled = "ipv6/conf/" + place.hostLink() + "/disable_ipv6";
            if (Sysctl.read(disabled).isPresent()) { // else the host has no IPv6
                Sysctl.set(disabled, "1");
            }
            socket.request(
                    "port " + place.hostLink(),
                    new RouteMessages().port(index, place.isolated()).up(index).messages());
        } catch (RuntimeException e) {
            try {
                socket.request(
                        "the removal of link " + place.hostLink(),
                        new RouteMessages().deleteLink(place.hostLink()).messages());
            } catch (NetlinkException failed) {
                e.addSuppressed(failed);
            }
            throw e;
        }
    }

    /// The kernel takes the index of the guest's end only with one for the host's.
    private int pair(Attachment place, int bridge, Fd namespace) {
        for (int tries = 1; ; tries++) {
            int index = FIRST_HOST_INDEX
                    | (ByteBuffer.wrap(KernelRandom.bytes(Integer.BYTES)).getInt() & Integer.MAX_VALUE);
            var host = new RouteMessages.End(place.hostLink(), index, hostMac(place));
            var guest = new RouteMessages.End(
                    place.guestName(), place.guestIndex(), place.mac().bytes());
            try {
                socket.request(
                        "link " + place.hostLink(),
                        new RouteMessages()
                                .pair(host, guest, place.mtu(), bridge, namespace.number())
                                .messages());
                return index;
            } catch (NetlinkException e) {
                boolean isNameFree = RouteQueries.link(socket, place.hostLink()).isEmpty();
                if (!e.is(Errno.EEXIST) || !isNameFree || tries == TRIES) {
                    throw e;
                }
            }
        }
    }

    /// Higher than the bridge's own, which takes the lowest of its ports otherwise, and other than the guest's.
    private static byte[] hostMac(Attachment place) {
        byte[] mac = place.mac().bytes();
        mac[0] = (byte) (mac[0] == (byte) 0xfe ? 0xfa : 0xfe);
        return mac;
    }

    private static void requireOther(Fd namespace) {
        try (Fd own = FileSystem.open("/proc/thread-self/ns/net", FileSystem.O_RDONLY)) {
            FileStatus ours = FileSystem.status(own);
            FileStatus other = FileSystem.status(namespace);
            if (ours.inode() == other.inode()) {
                throw new IllegalArgumentException("a link into the host's own namespace");
            }
        }
    }
}
