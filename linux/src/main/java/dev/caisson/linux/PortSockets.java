package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;

/// Sockets that are bound to a port of the host and do nothing more: nobody else gets the port meanwhile. ip(7),
/// ipv6(7).
public final class PortSockets {
    /// A socket and the port that it has.
    public record Bound(Fd socket, int port) {}

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int STREAM = 1 | 02000000;
    private static final int DATAGRAM = 2 | 02000000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_REUSEADDR = 2;
    private static final int IPPROTO_IP = 0;
    private static final int IP_FREEBIND = 15;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_V6ONLY = 26;
    private static final int IPV6_FREEBIND = 78;
    private static final int SIZE = 16;
    private static final int SIZE_6 = 28;
    private static final int ADDRESS_AT = 4;
    private static final int ADDRESS_AT_6 = 8;

    private PortSockets() {}

    /// Binds a socket to a port of an address, which the host need not have yet.
    ///
    /// @param port 0 for one that the kernel chooses
    /// @throws ErrnoException EADDRINUSE if somebody has the port, EAFNOSUPPORT if the host has no such family
    public static Bound bind(InetAddress address, int port, boolean datagrams) {
        boolean six = address.getAddress().length == 16;
        Fd socket = Fd.of("socket", Native.raw(Nr.SOCKET, six ? AF_INET6 : AF_INET, datagrams ? DATAGRAM : STREAM, 0));
        try (Arena arena = Arena.ofConfined()) {
            if (!datagrams) { // else connections that ended lately keep the port from being had again, tcp(7) TIME_WAIT
                option(arena, socket, SOL_SOCKET, SO_REUSEADDR);
            }
            if (six) {
                option(arena, socket, IPPROTO_IPV6, IPV6_V6ONLY);
                option(arena, socket, IPPROTO_IPV6, IPV6_FREEBIND);
            } else {
                option(arena, socket, IPPROTO_IP, IP_FREEBIND);
            }
            MemorySegment name = arena.allocate(SIZE_6, 4);
            name.set(JAVA_SHORT, 0, (short) (six ? AF_INET6 : AF_INET));
            name.set(JAVA_BYTE, 2, (byte) (port >> 8));
            name.set(JAVA_BYTE, 3, (byte) port);
            byte[] bytes = address.getAddress();
            MemorySegment.copy(bytes, 0, name, JAVA_BYTE, six ? ADDRESS_AT_6 : ADDRESS_AT, bytes.length);
            int size = six ? SIZE_6 : SIZE;
            Native.check("bind", Native.raw(Nr.BIND, socket.number(), name.address(), size));
            MemorySegment length = arena.allocate(JAVA_INT);
            length.set(JAVA_INT, 0, size);
            Native.check("getsockname", Native.raw(Nr.GETSOCKNAME, socket.number(), name.address(), length.address()));
            int bound = Byte.toUnsignedInt(name.get(JAVA_BYTE, 2)) << 8 | Byte.toUnsignedInt(name.get(JAVA_BYTE, 3));
            return new Bound(socket, bound);
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static void option(Arena arena, Fd socket, int level, int name) {
        MemorySegment number = arena.allocate(JAVA_INT);
        number.set(JAVA_INT, 0, 1);
        Native.check(
                "setsockopt " + name, Native.raw(Nr.SETSOCKOPT, socket.number(), level, name, number.address(), 4, 0));
    }
}
