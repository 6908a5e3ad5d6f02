package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.Arrays;

/// Receives and sends datagrams in memory of its own, for one thread at a time and for as many sockets as it likes.
public final class Datagrams {
    /// The sender of a datagram, as the kernel writes an address.
    @SuppressWarnings("ArrayRecordComponent") // compared by its own equals
    public record Peer(byte[] raw) {
        public InetSocketAddress address() {
            return InternetSockets.read(MemorySegment.ofArray(Arrays.copyOf(raw, InternetSockets.LONGEST_ADDRESS)));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Peer peer && Arrays.equals(raw, peer.raw);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(raw);
        }

        @Override
        public String toString() {
            return address().toString();
        }
    }

    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;

    private final MemorySegment data;
    private final MemorySegment address;
    private final MemorySegment addressSize;
    private final byte[] bytes;

    /// @param longest bytes of the longest datagram that is received or sent
    public Datagrams(int longest) {
        data = Arena.ofAuto().allocate(longest, 8);
        address = Arena.ofAuto().allocate(InternetSockets.LONGEST_ADDRESS, 8);
        addressSize = Arena.ofAuto().allocate(JAVA_INT);
        bytes = new byte[longest];
    }

    /// Receives the next datagram into [#bytes].
    /// @return its length, which is more than [#bytes] has if it was cut; -1 if none is there
    /// @throws ErrnoException ECONNREFUSED on a connected socket whose other end does not listen
    public int receive(Fd socket) {
        long count;
        do {
            addressSize.set(JAVA_INT, 0, InternetSockets.LONGEST_ADDRESS);
            count = Native.raw(
                    Nr.RECVFROM,
                    socket.number(),
                    data.address(),
                    data.byteSize(),
                    MSG_DONTWAIT | MSG_TRUNC,
                    address.address(),
                    addressSize.address());
        } while (count == -Errno.EINTR);
        if (count == -Errno.EAGAIN) {
            return -1;
        }
        int length = (int) Native.check("recvfrom", count);
        MemorySegment.copy(data, JAVA_BYTE, 0, bytes, 0, Math.min(length, bytes.length));
        return length;
    }

    /// Returns what was received last, from the first byte on; it is overwritten by the next.
    @SuppressWarnings("ReturnsMutableArray") // shared on purpose: nothing is copied a second time
    public byte[] bytes() {
        return bytes;
    }

    /// Returns the sender of the datagram that was received last.
    public Peer peer() {
        int size = Math.clamp(addressSize.get(JAVA_INT, 0), 0, InternetSockets.LONGEST_ADDRESS);
        return new Peer(address.asSlice(0, size).toArray(JAVA_BYTE));
    }

    /// Sends a datagram to a peer.
    /// @return 0, or the error number: a datagram that is not sent is lost, as others are on the way
    public int send(Fd socket, byte[] content, int length, Peer to) {
        MemorySegment.copy(to.raw(), 0, address, JAVA_BYTE, 0, to.raw().length);
        return send(socket, content, length, address.address(), to.raw().length);
    }

    /// The same over a connected socket.
    public int send(Fd socket, byte[] content, int length) {
        return send(socket, content, length, 0, 0);
    }

    private int send(Fd socket, byte[] content, int length, long to, int toSize) {
        MemorySegment.copy(content, 0, data, JAVA_BYTE, 0, length);
        long sent;
        do {
            sent = Native.raw(
                    Nr.SENDTO, socket.number(), data.address(), length, MSG_DONTWAIT | MSG_NOSIGNAL, to, toSize);
        } while (sent == -Errno.EINTR);
        return sent < 0 ? (int) -sent : 0;
    }
}
