package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.linux.Polling;
import dev.caisson.network.filter.Tables;
import dev.caisson.spec.ContainerId;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/// Connections that containers have begun and that their lists do not have, as the packet filter reports them: the
/// first 20 of each container at once, then ten in a second. One process of a directory reads them at a time. For one
/// thread, in the network namespace of who opens it.
public final class DenialLog implements AutoCloseable {
    private static final int SUBSYSTEM = 4 << 8;
    private static final int PACKET = SUBSYSTEM;
    private static final int CONFIGURE = SUBSYSTEM | 1;
    private static final int COMMAND = 1;
    private static final int MODE = 2;
    private static final int DELAY = 4;
    private static final int BIND = 1;
    private static final byte COPY_PACKET = 2;
    private static final int COPIED_BYTES = 96;
    private static final int HEADER = 4;
    private static final int PAYLOAD = 9;
    private static final int PREFIX = 10;
    private static final int BUFFER_BYTES = 256 * 1024;

    private final NetlinkSocket socket;
    private final RecordedNames records;
    private final String prefix;
    private final BiFunction<ContainerId, InetAddress, Optional<String>> names;

    private DenialLog(
            NetlinkSocket socket,
            RecordedNames records,
            String prefix,
            BiFunction<ContainerId, InetAddress, Optional<String>> names) {
        this.socket = socket;
        this.records = records;
        this.prefix = prefix;
        this.names = names;
    }

    /// Opens it.
    ///
    /// @param networks the directory that [Networks#open] has opened
    /// @param names gives the name that led a container to an address, if it is known
    /// @return empty if another process reads it, or the kernel has no nfnetlink_log
    public static Optional<DenialLog> open(
            Path networks, BiFunction<ContainerId, InetAddress, Optional<String>> names) {
        var records = new RecordedNames(networks);
        NetlinkSocket socket = null;
        try {
            var tables = new Tables(records.tables());
            socket = NetlinkSocket.open(NetlinkSocket.NETFILTER);
            socket.receiveBuffer(BUFFER_BYTES);
            bind(socket, tables.group());
            return Optional.of(new DenialLog(socket, records, tables.reportPrefix(), names));
        } catch (RuntimeException e) {
            records.close();
            if (socket != null) {
                socket.close();
            }
            if (e instanceof NetlinkException refused
                    && (refused.is(Errno.EPERM) || refused.is(Errno.EINVAL) || refused.is(Errno.EOPNOTSUPP))) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static void bind(NetlinkSocket socket, int group) {
        var request = new NetlinkWriter();
        request.message(CONFIGURE, NetlinkWriter.REQUEST | NetlinkWriter.ACK)
                .u8(0)
                .u8(0)
                .u8(group >> 8)
                .u8(group)
                .int8(COMMAND, BIND)
                .put(
                        MODE,
                        ByteBuffer.allocate(6)
                                .putInt(COPIED_BYTES)
                                .put(COPY_PACKET)
                                .array())
                .big32(DELAY, 1)
                .end();
        socket.request("the log of denied connections", request);
    }

    /// Has `polling` tell by `key` when something was reported.
    public void tell(Polling polling, long key) {
        polling.watchReadable(socket.descriptor(), key);
    }

    /// Returns what was reported since the last call, without waiting. What nobody read in time is lost.
    public List<EgressDenial> next() {
        var found = new ArrayList<EgressDenial>();
        for (List<NetlinkMessage> news = socket.news().orElse(List.of());
                !news.isEmpty();
                news = socket.news().orElse(List.of())) {
            for (NetlinkMessage message : news) {
                if (message.type() == PACKET) {
                    denial(message.attributes(HEADER)).ifPresent(found::add);
                }
            }
        }
        return found;
    }

    /// Others may report to the same group.
    private Optional<EgressDenial> denial(NetlinkAttributes attributes) {
        if (attributes.string(PREFIX).filter(prefix::equals).isEmpty()) {
            return Optional.empty();
        }
        return attributes
                .find(PAYLOAD)
                .flatMap(PacketHead::read)
                .flatMap(packet -> records.at(packet.source())
                        .map(container -> new EgressDenial(
                                container,
                                names.apply(container, packet.target()),
                                Optional.of(packet.target()),
                                packet.port(),
                                packet.protocol(),
                                "the destination is not on its list")));
    }

    @Override
    public void close() {
        socket.close();
        records.close();
    }
}
