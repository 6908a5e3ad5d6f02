package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// Answers of netlink that do not come from the kernel.
class NetlinkSocketTest {
    private static final int GET_LINKS = 18;
    private static final int ADDRESS_BYTES = 12;
    private static final int PORT_AT = 4;
    private static final short AF_NETLINK = 16;

    private static NetlinkWriter links() {
        var request = new NetlinkWriter();
        request.message(GET_LINKS, NetlinkWriter.REQUEST | NetlinkWriter.DUMP)
                .u32(0)
                .u32(0)
                .u32(0)
                .u32(0)
                .end();
        return request;
    }

    private static int port(NetlinkSocket socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment own = arena.allocate(ADDRESS_BYTES, 4);
            MemorySegment length = arena.allocateFrom(JAVA_INT, ADDRESS_BYTES);
            long _ = Native.check(
                    "getsockname",
                    Native.raw(Nr.GETSOCKNAME, socket.descriptor().number(), own.address(), length.address()));
            return own.get(JAVA_INT, PORT_AT);
        }
    }

    /// Sends the end of a list to another socket, as a process with CAP_NET_ADMIN can.
    private static void play(NetlinkSocket from, int port) {
        var end = new NetlinkWriter();
        end.message(NetlinkMessage.DONE, 0).u32(0).end();
        byte[] bytes = end.toBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(bytes.length);
            data.copyFrom(MemorySegment.ofArray(bytes));
            MemorySegment to = arena.allocate(ADDRESS_BYTES, 4);
            to.set(JAVA_SHORT, 0, AF_NETLINK);
            to.set(JAVA_INT, PORT_AT, port);
            long _ = Native.check(
                    "sendto",
                    Native.raw(
                            Nr.SENDTO,
                            from.descriptor().number(),
                            data.address(),
                            bytes.length,
                            0,
                            to.address(),
                            ADDRESS_BYTES));
        }
    }

    @Test
    void an_answer_of_another_process_is_no_answer_of_the_kernel() {
        try (NetlinkSocket asking = NetlinkSocket.open(NetlinkSocket.ROUTE);
                NetlinkSocket other = NetlinkSocket.open(NetlinkSocket.ROUTE)) {
            assertThat(asking.dump("links", links())).isNotEmpty();
            play(other, port(asking));
            var refused = catchThrowableOfType(NetlinkException.class, () -> asking.dump("links", links()));
            assertThat(refused).hasMessageContaining("somebody else answered");
        }
    }
}
