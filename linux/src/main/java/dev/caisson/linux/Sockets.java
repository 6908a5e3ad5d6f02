package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Message sockets between processes of one machine that carry descriptors: unix(7) SOCK_SEQPACKET, SCM_RIGHTS.
public final class Sockets {
    /// The two ends of a connected pair.
    public record Pair(Fd ours, Fd theirs) {}

    /// One message and the descriptors that came with it, which the receiver owns. No bytes: the other end is closed.
    @SuppressWarnings("ArrayRecordComponent") // never compared, and copied nowhere
    public record Message(byte[] bytes, List<Fd> descriptors) implements AutoCloseable {
        public boolean isEnd() {
            return bytes.length == 0;
        }

        @Override
        public void close() {
            descriptors.forEach(Fd::close);
        }
    }

    /// The most descriptors that one message carries, SCM_MAX_FD.
    public static final int MAX_DESCRIPTORS = 253;

    private static final int FEW_DESCRIPTORS = 8;

    static final StructLayout MSGHDR = MemoryLayout.structLayout(
            ADDRESS.withName("msg_name"),
            JAVA_INT.withName("msg_namelen"),
            MemoryLayout.paddingLayout(4),
            ADDRESS.withName("msg_iov"),
            JAVA_LONG.withName("msg_iovlen"),
            ADDRESS.withName("msg_control"),
            JAVA_LONG.withName("msg_controllen"),
            JAVA_INT.withName("msg_flags"),
            MemoryLayout.paddingLayout(4));
    static final StructLayout IOVEC =
            MemoryLayout.structLayout(ADDRESS.withName("iov_base"), JAVA_LONG.withName("iov_len"));
    static final StructLayout CMSGHDR = MemoryLayout.structLayout(
            JAVA_LONG.withName("cmsg_len"), JAVA_INT.withName("cmsg_level"), JAVA_INT.withName("cmsg_type"));

    private static final int SUN_PATH = 108;
    private static final int AF_UNIX = 1;
    private static final int SOCK_SEQPACKET = 5;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int SO_PEERCRED = 17;
    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int SHUT_WR = 1;
    private static final int SHUT_RDWR = 2;
    private static final int MSG_CTRUNC = 0x8;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_DONTWAIT = 0x40;
    static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private Sockets() {}

    /// A connected pair of message sockets, both close-on-exec.
    public static Pair pair() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment two = arena.allocate(JAVA_INT, 2);
            Native.check(
                    "socketpair", Native.raw(Nr.SOCKETPAIR, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two.address()));
            return new Pair(new Fd(two.getAtIndex(JAVA_INT, 0)), new Fd(two.getAtIndex(JAVA_INT, 1)));
        }
    }

    /// Connects to the message socket `name` in a directory; its path is never too long for sockaddr_un(3type).
    /// @throws ErrnoException ENOENT or ECONNREFUSED if nobody listens there
    public static Fd connect(Fd directory, String name) {
        return connect(directory, name, 0);
    }

    /// The same; it and each [#send] fail with EAGAIN after so many milliseconds in which the other end makes no room,
    /// SO_SNDTIMEO of socket(7).
    /// @param millis 0 to wait without end
    public static Fd connect(Fd directory, String name, long millis) {
        Fd socket = Fd.of("socket", Native.raw(Nr.SOCKET, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        try (Arena arena = Arena.ofConfined()) {
            timeout(socket, SO_SNDTIMEO, millis);
            MemorySegment address = address(arena, directory, name);
            Native.check("connect", Native.raw(Nr.CONNECT, socket.number(), address.address(), address.byteSize()));
            return socket;
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /// Listens at the message socket `name` in a directory, which has no file of that name.
    public static Fd listen(Fd directory, String name, int waiting) {
        Fd socket = Fd.of("socket", Native.raw(Nr.SOCKET, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(arena, directory, name);
            Native.check("bind", Native.raw(Nr.BIND, socket.number(), address.address(), address.byteSize()));
            Native.check("listen", Native.raw(Nr.LISTEN, socket.number(), waiting));
            return socket;
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /// Waits for the next connection.
    /// @return empty after [#hangUp]
    public static Optional<Fd> accept(Fd listening) {
        long result;
        do {
            result = Native.raw(Nr.ACCEPT4, listening.number(), 0, 0, SOCK_CLOEXEC);
        } while (result == -Errno.EINTR);
        return result == -Errno.EINVAL ? Optional.empty() : Optional.of(Fd.of("accept4", result));
    }

    /// Ends a connection, or a listening socket, for whoever waits in it; shutdown(2).
    public static void hangUp(Fd socket) {
        Native.raw(Nr.SHUTDOWN, socket.number(), SHUT_RDWR);
    }

    /// Tells the other end that nothing more comes; what it has sent and sends can still be read. shutdown(2).
    public static void endSending(Fd socket) {
        Native.raw(Nr.SHUTDOWN, socket.number(), SHUT_WR);
    }

    /// Returns the user that the other end had when it connected, SO_PEERCRED of unix(7).
    public static int peerUid(Fd socket) {
        return peer(socket, 1);
    }

    /// Returns the process at the other end: that which listened, if this end connected.
    public static int peerPid(Fd socket) {
        return peer(socket, 0);
    }

    private static int peer(Fd socket, int field) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment credentials = arena.allocate(JAVA_INT, 3);
            MemorySegment size = arena.allocate(JAVA_INT);
            size.set(JAVA_INT, 0, (int) credentials.byteSize());
            Native.check(
                    "getsockopt SO_PEERCRED",
                    Native.raw(
                            Nr.GETSOCKOPT,
                            socket.number(),
                            SOL_SOCKET,
                            SO_PEERCRED,
                            credentials.address(),
                            size.address(),
                            0));
            return credentials.getAtIndex(JAVA_INT, field);
        }
    }

    private static MemorySegment address(Arena arena, Fd directory, String name) {
        byte[] path = ("/proc/self/fd/" + directory.number() + "/" + name).getBytes(StandardCharsets.UTF_8);
        if (path.length >= SUN_PATH) {
            throw new IllegalArgumentException("the name of a socket is too long: " + name);
        }
        MemorySegment address = arena.allocate(2L + path.length + 1);
        address.set(JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(path, 0, address, JAVA_BYTE, 2, path.length);
        return address;
    }

    /// Sends one message with descriptors, which stay the sender's to close. Without any it is sent by
    /// sendto(2), which a filter of system calls can look into.
    public static void send(Fd socket, byte[] bytes, List<Fd> descriptors) {
        if (descriptors.size() > MAX_DESCRIPTORS) {
            throw new IllegalArgumentException("more descriptors than one message carries: " + descriptors.size());
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, data, JAVA_BYTE, 0, bytes.length);
            MemorySegment header = header(arena, data, bytes.length);
            boolean plain = descriptors.isEmpty();
            if (!plain) {
                long length = CMSGHDR.byteSize() + 4L * descriptors.size();
                MemorySegment control = arena.allocate((length + 7) & ~7L, 8);
                control.set(JAVA_LONG, 0, length);
                control.set(JAVA_INT, 8, SOL_SOCKET);
                control.set(JAVA_INT, 12, SCM_RIGHTS);
                for (int i = 0; i < descriptors.size(); i++) {
                    control.set(
                            JAVA_INT,
                            CMSGHDR.byteSize() + 4L * i,
                            descriptors.get(i).number());
                }
                header.set(JAVA_LONG, Native.offset(MSGHDR, "msg_control"), control.address());
                header.set(JAVA_LONG, Native.offset(MSGHDR, "msg_controllen"), control.byteSize());
            }
            long result;
            do {
                result = plain
                        ? Native.raw(Nr.SENDTO, socket.number(), data.address(), bytes.length, MSG_NOSIGNAL, 0, 0)
                        : Native.raw(Nr.SENDMSG, socket.number(), header.address(), MSG_NOSIGNAL);
            } while (result == -Errno.EINTR);
            Native.check(plain ? "sendto" : "sendmsg", result);
        }
    }

    /// True if a message could not be sent because the other end is closed.
    public static boolean isClosed(ErrnoException failure) {
        return failure.is(Errno.EPIPE) || failure.is(Errno.ECONNRESET);
    }

    /// Waits for one message of at most `limit` bytes.
    /// @throws ErrnoException EPROTO if the message, or its descriptors, are more than asked for; EMFILE if this
    /// process has no room for its descriptors
    public static Message receive(Fd socket, int limit) {
        return receive(socket, limit, 0, FEW_DESCRIPTORS).orElseThrow();
    }

    /// The same, for a message with up to so many descriptors.
    public static Message receive(Fd socket, int limit, int descriptors) {
        return receive(socket, limit, 0, descriptors).orElseThrow();
    }

    /// Lets [#receive] fail with EAGAIN after so many milliseconds, SO_RCVTIMEO of socket(7).
    public static void receiveTimeout(Fd socket, long millis) {
        timeout(socket, SO_RCVTIMEO, millis);
    }

    /// Lets [#send] fail with EAGAIN after so many milliseconds in which the other end makes no room, SO_SNDTIMEO of
    /// socket(7).
    public static void sendTimeout(Fd socket, long millis) {
        timeout(socket, SO_SNDTIMEO, millis);
    }

    private static void timeout(Fd socket, int option, long millis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(JAVA_LONG, 2);
            time.setAtIndex(JAVA_LONG, 0, millis / 1000);
            time.setAtIndex(JAVA_LONG, 1, millis % 1000 * 1000);
            Native.check(
                    "setsockopt of a timeout",
                    Native.raw(Nr.SETSOCKOPT, socket.number(), SOL_SOCKET, option, time.address(), 16, 0));
        }
    }

    /// The message that is there; empty where none is.
    public static Optional<Message> receiveNow(Fd socket, int limit) {
        return receive(socket, limit, MSG_DONTWAIT, FEW_DESCRIPTORS);
    }

    /// Empty where `flags` say not to wait and nothing is there.
    private static Optional<Message> receive(Fd socket, int limit, int flags, int most) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(limit);
            MemorySegment header = header(arena, data, limit);
            MemorySegment control = arena.allocate((CMSGHDR.byteSize() + 4L * most + 7) & ~7L, 8);
            header.set(JAVA_LONG, Native.offset(MSGHDR, "msg_control"), control.address());
            header.set(JAVA_LONG, Native.offset(MSGHDR, "msg_controllen"), control.byteSize());
            long count;
            do {
                count = Native.raw(Nr.RECVMSG, socket.number(), header.address(), MSG_CMSG_CLOEXEC | flags);
                // ECONNRESET, once: the other end was closed before it had read all. What it sent comes after that.
            } while (count == -Errno.EINTR || count == -Errno.ECONNRESET);
            if (count == -Errno.EAGAIN && (flags & MSG_DONTWAIT) != 0) {
                return Optional.empty();
            }
            Native.check("recvmsg", count);
            List<Fd> descriptors = descriptors(control, header.get(JAVA_LONG, Native.offset(MSGHDR, "msg_controllen")));
            var message = new Message(data.asSlice(0, count).toArray(JAVA_BYTE), descriptors);
            int cut = header.get(JAVA_INT, Native.offset(MSGHDR, "msg_flags")) & (MSG_TRUNC | MSG_CTRUNC);
            if (cut != 0) {
                message.close();
                boolean hadRoom = cut == MSG_CTRUNC && descriptors.size() < most;
                throw new ErrnoException("recvmsg", hadRoom ? Errno.EMFILE : Errno.EPROTO);
            }
            return Optional.of(message);
        }
    }

    private static MemorySegment header(Arena arena, MemorySegment data, long length) {
        MemorySegment vector = arena.allocate(IOVEC);
        vector.set(JAVA_LONG, 0, data.address());
        vector.set(JAVA_LONG, 8, length);
        MemorySegment header = arena.allocate(MSGHDR);
        header.set(JAVA_LONG, Native.offset(MSGHDR, "msg_iov"), vector.address());
        header.set(JAVA_LONG, Native.offset(MSGHDR, "msg_iovlen"), 1);
        return header;
    }

    private static List<Fd> descriptors(MemorySegment control, long length) {
        var descriptors = new ArrayList<Fd>();
        long at = 0;
        while (at + CMSGHDR.byteSize() <= length) {
            long size = control.get(JAVA_LONG, at);
            if (size < CMSGHDR.byteSize() || size > length - at) {
                throw new ErrnoException("recvmsg", Errno.EPROTO);
            }
            if (control.get(JAVA_INT, at + 8) == SOL_SOCKET && control.get(JAVA_INT, at + 12) == SCM_RIGHTS) {
                for (long fd = at + CMSGHDR.byteSize(); fd < at + size; fd += 4) {
                    descriptors.add(new Fd(control.get(JAVA_INT, fd)));
                }
            }
            at += (size + 7) & ~7L;
        }
        return List.copyOf(descriptors);
    }
}
