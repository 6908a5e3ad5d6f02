package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import java.util.Optional;

/// Sockets of TCP and UDP whose calls never wait, close-on-exec: ip(7), tcp(7), udp(7). They can be of any network
/// namespace, as descriptors that somebody in it has made.
public final class InternetSockets {
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;
    static final int LONGEST_ADDRESS = 28;

    private static final int SOCK_STREAM = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int NO_WAIT_CLOEXEC = 04000 | 02000000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_REUSEADDR = 2;
    private static final int SO_TYPE = 3;
    private static final int SO_ERROR = 4;
    private static final int SO_RCVBUF = 8;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_NODELAY = 1;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_V6ONLY = 26;
    private static final int SHUT_WR = 1;
    private static final int PORT_AT = 2;
    private static final int IPV4_AT = 4;
    private static final int IPV6_AT = 8;
    private static final int SCOPE_AT = 24;

    private InternetSockets() {}

    /// Returns a UDP socket at an address; port 0 for one that the kernel chooses.
    public static Fd bindUdp(InetSocketAddress address) {
        return bound(address, SOCK_DGRAM, false);
    }

    /// Returns a TCP socket that holds its address against everybody else, and listens only after [#listen].
    public static Fd bindTcp(InetSocketAddress address) {
        return bound(address, SOCK_STREAM, false);
    }

    /// Returns a listening TCP socket, SO_REUSEADDR of socket(7).
    public static Fd listenTcp(InetSocketAddress address, int waiting) {
        Fd socket = bound(address, SOCK_STREAM, true);
        try {
            listen(socket, waiting);
            return socket;
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /// Lets a bound TCP socket take connections, of which at most `waiting` are not yet accepted.
    public static void listen(Fd socket, int waiting) {
        Native.check("listen", Native.raw(Nr.LISTEN, socket.number(), waiting));
    }

    /// Returns a UDP socket at a random port that receives from `to` alone; connect(2).
    public static Fd connectUdp(InetSocketAddress to) {
        return connected(to, SOCK_DGRAM);
    }

    /// Returns a TCP socket that connects: when it can be written, [#requireConnected] tells how that went.
    public static Fd connectTcp(InetSocketAddress to) {
        return connected(to, SOCK_STREAM);
    }

    /// Returns a TCP socket that is connected.
    ///
    /// @throws IOException if that fails, or takes longer than `millis`
    public static Fd connectTcp(InetSocketAddress to, int millis) throws IOException {
        try {
            Fd socket = connectTcp(to);
            try (var wait = new SocketWait(socket, true)) {
                wait.await(millis);
                requireConnected(socket);
                return socket;
            } catch (RuntimeException | IOException e) {
                socket.close();
                throw e;
            }
        } catch (ErrnoException e) {
            throw new ConnectException(e.getMessage());
        }
    }

    /// Reads how a connection went, SO_ERROR of socket(7).
    /// @throws ErrnoException if it could not be made
    public static void requireConnected(Fd socket) {
        Native.check("connect", -(long) number(socket, SO_ERROR));
    }

    /// True for a socket of UDP, SO_TYPE of socket(7).
    public static boolean isDatagram(Fd socket) {
        return number(socket, SO_TYPE) == SOCK_DGRAM;
    }

    private static int number(Fd socket, int option) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT);
            MemorySegment size = arena.allocate(JAVA_INT);
            size.set(JAVA_INT, 0, 4);
            long result =
                    Native.raw(Nr.GETSOCKOPT, socket.number(), SOL_SOCKET, option, value.address(), size.address(), 0);
            Native.check("getsockopt " + option, result);
            return value.get(JAVA_INT, 0);
        }
    }

    /// Takes the next connection; empty if none is there, or if it was given up before it was taken.
    public static Optional<Fd> accept(Fd listening) {
        long result;
        do {
            result = Native.raw(Nr.ACCEPT4, listening.number(), 0, 0, NO_WAIT_CLOEXEC);
        } while (result == -Errno.EINTR);
        boolean none = result == -Errno.EAGAIN || result == -Errno.ECONNABORTED;
        return none ? Optional.empty() : Optional.of(Fd.of("accept4", result));
    }

    /// Tells the other end that nothing more comes; what it sends can still be read. shutdown(2).
    public static void endWriting(Fd socket) {
        Native.raw(Nr.SHUTDOWN, socket.number(), SHUT_WR);
    }

    /// Sends small writes at once, TCP_NODELAY.
    public static void noDelay(Fd socket) {
        option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    }

    /// Bounds what may wait to be read, SO_RCVBUF; the kernel takes it twice.
    public static void receiveBuffer(Fd socket, int bytes) {
        option(socket, SOL_SOCKET, SO_RCVBUF, bytes);
    }

    /// Returns the address that a socket is bound to, getsockname(2).
    public static InetSocketAddress localAddress(Fd socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(LONGEST_ADDRESS, 8);
            MemorySegment size = arena.allocate(JAVA_INT);
            size.set(JAVA_INT, 0, LONGEST_ADDRESS);
            Native.check("getsockname", Native.raw(Nr.GETSOCKNAME, socket.number(), address.address(), size.address()));
            return read(address);
        }
    }

    /// Returns the address at the other end, getpeername(2).
    static InetSocketAddress remoteAddress(Fd socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(LONGEST_ADDRESS, 8);
            MemorySegment size = arena.allocate(JAVA_INT);
            size.set(JAVA_INT, 0, LONGEST_ADDRESS);
            Native.check("getpeername", Native.raw(Nr.GETPEERNAME, socket.number(), address.address(), size.address()));
            return read(address);
        }
    }

    private static Fd bound(InetSocketAddress address, int type, boolean reuse) {
        Fd socket = open(address, type);
        try (Arena arena = Arena.ofConfined()) {
            if (reuse) {
                option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
            }
            MemorySegment name = write(arena, address);
            Native.check("bind", Native.raw(Nr.BIND, socket.number(), name.address(), name.byteSize()));
            return socket;
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static Fd connected(InetSocketAddress to, int type) {
        Fd socket = open(to, type);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = write(arena, to);
            long result = Native.raw(Nr.CONNECT, socket.number(), name.address(), name.byteSize());
            if (result != -Errno.EINPROGRESS) {
                Native.check("connect", result);
            }
            return socket;
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static Fd open(InetSocketAddress address, int type) {
        boolean six = address.getAddress().getAddress().length == 16;
        Fd socket = Fd.of("socket", Native.raw(Nr.SOCKET, six ? AF_INET6 : AF_INET, type | NO_WAIT_CLOEXEC, 0));
        if (six) {
            option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        }
        return socket;
    }

    private static void option(Fd socket, int level, int name, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            number.set(JAVA_INT, 0, value);
            Native.check(
                    "setsockopt " + level + " " + name,
                    Native.raw(Nr.SETSOCKOPT, socket.number(), level, name, number.address(), 4, 0));
        }
    }

    /// Writes sockaddr_in or sockaddr_in6.
    static MemorySegment write(Arena arena, InetSocketAddress address) {
        byte[] bytes = address.getAddress().getAddress();
        boolean six = bytes.length == 16;
        MemorySegment name = arena.allocate(six ? LONGEST_ADDRESS : 16, 8);
        name.set(JAVA_SHORT, 0, (short) (six ? AF_INET6 : AF_INET));
        name.set(JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), PORT_AT, (short) address.getPort());
        MemorySegment.copy(bytes, 0, name, JAVA_BYTE, six ? IPV6_AT : IPV4_AT, bytes.length);
        if (address.getAddress() instanceof Inet6Address scoped) {
            name.set(JAVA_INT, SCOPE_AT, scoped.getScopeId());
        }
        return name;
    }

    static InetSocketAddress read(MemorySegment name) {
        boolean six = name.get(JAVA_SHORT_UNALIGNED, 0) == AF_INET6;
        int port = Short.toUnsignedInt(name.get(JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), PORT_AT));
        byte[] bytes = name.asSlice(six ? IPV6_AT : IPV4_AT, six ? 16 : 4).toArray(JAVA_BYTE);
        try {
            return new InetSocketAddress(InetAddress.getByAddress(bytes), port);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
