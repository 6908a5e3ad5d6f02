package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A socket to the network part of the kernel, in the network namespace in which it was made: netlink(7), rtnetlink(7),
/// and nfnetlink for nftables. One request at a time; safe for use by several threads.
public final class NetlinkSocket implements AutoCloseable {
    /// Links, addresses and routes, rtnetlink(7).
    public static final int ROUTE = 0;
    /// Tables and logs of the packet filter.
    public static final int NETFILTER = 12;

    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW_CLOEXEC = 3 | 02000000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_SNDBUF = 7;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SOL_NETLINK = 270;
    private static final int ADD_MEMBERSHIP = 1;
    private static final int CAP_ACK = 10;
    private static final int EXT_ACK = 11;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int ADDRESS_BYTES = 12;
    /// Offset of the sender's port, 0 of the kernel: a process that may change the network of the namespace can send to
    /// any socket.
    private static final int PORT_AT = 4;

    private static final int SIOCGIFFLAGS = 0x8913;
    private static final int SIOCGIFINDEX = 0x8933;
    private static final int IFNAMSIZ = 16;
    private static final int IFREQ_BYTES = 40;
    private static final int IFF_UP = 1;

    private static final int LONGEST_MESSAGE = 256 * 1024;
    private static final int ROOM = LONGEST_MESSAGE / 4;
    /// The kernel answers within the call that asks; this is for a kernel that does not.
    private static final long PATIENCE_MILLIS = 10_000;
    private static final int MOST_TRIES = 20;
    /// A namespace that is not ours to fill may have more than fits into memory.
    private static final long LONGEST_LIST = 64L << 20;
    private static final int WORDS = 1;
    private static final int CAPPED = 0x100;
    private static final int HAS_ATTRIBUTES = 0x200;

    private final Fd socket;
    /// Room for what is received and its sender, made once: the kernel is asked often, and memory of an arena is
    /// cleared.
    private final MemorySegment room = Arena.ofAuto().allocate(ROOM, 8);

    private final MemorySegment sender = Arena.ofAuto().allocate(ADDRESS_BYTES, 4);
    private final MemorySegment senderBytes = Arena.ofAuto().allocate(JAVA_INT);
    private int sendBuffer;
    private long received;

    private NetlinkSocket(Fd socket) {
        this.socket = socket;
    }

    /// Opens a socket in the network namespace of the calling thread.
    public static NetlinkSocket open(int protocol) {
        return of(Fd.of("socket netlink", Native.raw(Nr.SOCKET, AF_NETLINK, SOCK_RAW_CLOEXEC, protocol)));
    }

    /// Takes over a netlink socket that was made elsewhere, perhaps in another network namespace.
    public static NetlinkSocket of(Fd socket) {
        var made = new NetlinkSocket(socket);
        try {
            made.option(SOL_NETLINK, CAP_ACK, 1);
            made.option(SOL_NETLINK, EXT_ACK, 1);
            Sockets.receiveTimeout(socket, PATIENCE_MILLIS);
            return made;
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /// Returns the index of an interface that is up, in the network namespace of this socket, netdevice(7). In contrast
    /// to a request it does not wait for whoever changes a link at the moment, as the kernel while it removes some.
    ///
    /// @return empty if there is none of that name, or if it is down
    public synchronized OptionalInt indexOfUp(String link) {
        byte[] name = ByteText.bytes(link);
        if (name.length == 0 || name.length >= IFNAMSIZ) {
            return OptionalInt.empty();
        }
        room.asSlice(0, IFREQ_BYTES).fill((byte) 0);
        MemorySegment.copy(name, 0, room, JAVA_BYTE, 0, name.length);
        if (!asked("ioctl SIOCGIFFLAGS", SIOCGIFFLAGS) || (room.get(JAVA_SHORT, IFNAMSIZ) & IFF_UP) == 0) {
            return OptionalInt.empty();
        }
        return asked("ioctl SIOCGIFINDEX", SIOCGIFINDEX)
                ? OptionalInt.of(room.get(JAVA_INT, IFNAMSIZ))
                : OptionalInt.empty();
    }

    /// @return false if there is no such interface
    private boolean asked(String call, int request) {
        long result = Native.raw(Nr.IOCTL, socket.number(), request, room.address());
        if (result == -Errno.ENODEV) {
            return false;
        }
        Native.check(call, result);
        return true;
    }

    /// Sends requests that each ask for an acknowledgement, and waits for all of these.
    ///
    /// @param call what is asked for, for errors
    /// @throws NetlinkException for the first that is refused; those behind it were tried all the same
    public synchronized void request(String call, NetlinkWriter requests) {
        send(call, requests);
        NetlinkException refused = null;
        for (int answered = 0; answered < requests.messages(); ) {
            for (NetlinkMessage message : receive(call)) {
                if (message.type() == NetlinkMessage.ERROR) {
                    answered++;
                    refused = refused == null ? refusal(call, message).orElse(null) : refused;
                }
            }
        }
        if (refused != null) {
            throw refused;
        }
    }

    /// Sends one request and returns what it answers, before its acknowledgement.
    /// @throws NetlinkException if it is refused
    public synchronized List<NetlinkMessage> ask(String call, NetlinkWriter request) {
        send(call, request);
        var answers = new ArrayList<NetlinkMessage>();
        while (true) {
            for (NetlinkMessage message : receive(call)) {
                if (message.type() != NetlinkMessage.ERROR) {
                    answers.add(message);
                    continue;
                }
                Optional<NetlinkException> refused = refusal(call, message);
                if (refused.isPresent()) {
                    throw refused.get();
                }
                return answers;
            }
        }
    }

    /// Sends one request that asks for no acknowledgement, and returns its one answer.
    /// @throws NetlinkException if it is refused
    public synchronized NetlinkMessage askForOne(String call, NetlinkWriter request) {
        send(call, request);
        NetlinkMessage answer = receive(call).getFirst();
        if (answer.type() == NetlinkMessage.ERROR) {
            throw refusal(call, answer)
                    .orElseGet(() -> new NetlinkException(call, 0, Errno.EPROTO, "it has no answer"));
        }
        return answer;
    }

    /// Sends one request whose flags have [NetlinkWriter#DUMP], and returns all that it lists, as it was at one moment.
    /// @throws NetlinkException E2BIG if that is more than 64 MiB: the socket is of no use then
    public synchronized List<NetlinkMessage> dump(String call, NetlinkWriter request) {
        for (int tried = 0; tried < MOST_TRIES; tried++) {
            send(call, request);
            var listed = new ArrayList<NetlinkMessage>();
            if (!listInto(listed, call)) {
                return listed;
            }
        }
        throw new NetlinkException(call, 1, Errno.EINTR, "it changed each time while it was read");
    }

    /// @return true if the kernel's state changed meanwhile
    private boolean listInto(List<NetlinkMessage> listed, String call) {
        boolean changed = false;
        long bytes = 0;
        while (true) {
            for (NetlinkMessage message : receive(call)) {
                bytes += message.body().length + NetlinkWriter.HEADER;
                changed |= (message.flags() & NetlinkMessage.DUMP_INTERRUPTED) != 0;
                if (message.type() == NetlinkMessage.DONE || message.type() == NetlinkMessage.ERROR) {
                    Optional<NetlinkException> refused = refusal(call, message);
                    if (refused.isPresent() && !refused.get().is(Errno.EINTR)) {
                        throw refused.get();
                    }
                    return changed || refused.isPresent();
                }
                if (bytes > LONGEST_LIST) {
                    throw new NetlinkException(
                            call, message.sequence(), Errno.E2BIG, "it is longer than " + LONGEST_LIST + " bytes");
                }
                listed.add(message);
            }
        }
    }

    /// Sends a batch of nfnetlink, which is carried out whole or not at all. The last message but the end of the batch
    /// asks for the one acknowledgement.
    ///
    /// @throws NetlinkException for the first message that is refused
    public synchronized void commit(String call, NetlinkWriter batch) {
        send(call, batch);
        boolean done = false;
        NetlinkException refused = null;
        Optional<List<NetlinkMessage>> answers = Optional.of(receive(call));
        while (answers.isPresent()) {
            for (NetlinkMessage message : answers.get()) {
                if (message.type() == NetlinkMessage.ERROR) {
                    Optional<NetlinkException> failure = refusal(call, message);
                    done |= failure.isEmpty();
                    refused = refused == null ? failure.orElse(null) : refused;
                }
            }
            answers = receive(call, MSG_DONTWAIT);
        }
        if (refused != null) {
            throw refused;
        }
        if (!done) {
            throw new NetlinkException(call, 0, Errno.EPROTO, "it did not say that it is done");
        }
    }

    /// Receives news of a group from now on, as `RTNLGRP_LINK`; [#news] waits for them.
    public synchronized void join(int group) {
        option(SOL_NETLINK, ADD_MEMBERSHIP, group);
    }

    /// Lets more news wait to be read, SO_RCVBUFFORCE.
    public void receiveBuffer(int bytes) {
        option(SOL_SOCKET, SO_RCVBUFFORCE, bytes);
    }

    /// Returns news that are there, of a socket that makes no requests; none if there are none, and empty if some were
    /// lost because nobody read them in time.
    public synchronized Optional<List<NetlinkMessage>> news() {
        try {
            return Optional.of(receive("news", MSG_DONTWAIT).orElse(List.of()));
        } catch (NetlinkException e) {
            if (e.is(Errno.ENOBUFS)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Returns how many bytes were received since it was opened.
    public synchronized long received() {
        return received;
    }

    /// Returns the descriptor, to wait for news with [Polling].
    public Fd descriptor() {
        return socket;
    }

    private void send(String call, NetlinkWriter requests) {
        byte[] bytes = requests.toBytes();
        makeRoom(bytes.length);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(bytes.length);
            MemorySegment.copy(bytes, 0, data, JAVA_BYTE, 0, bytes.length);
            MemorySegment kernel = arena.allocate(ADDRESS_BYTES, 4);
            kernel.set(JAVA_SHORT, 0, (short) AF_NETLINK);
            long sent;
            do {
                sent = Native.raw(
                        Nr.SENDTO, socket.number(), data.address(), bytes.length, 0, kernel.address(), ADDRESS_BYTES);
            } while (sent == -Errno.EINTR);
            if (sent < 0) {
                throw new NetlinkException(call, 0, (int) -sent, "");
            }
        }
    }

    /// A message longer than the socket's buffer is refused with EMSGSIZE.
    private void makeRoom(int bytes) {
        if (bytes <= LONGEST_MESSAGE / 2 || bytes <= sendBuffer) {
            return;
        }
        try {
            option(SOL_SOCKET, SO_SNDBUFFORCE, bytes);
        } catch (ErrnoException e) {
            option(SOL_SOCKET, SO_SNDBUF, bytes);
        }
        sendBuffer = bytes;
    }

    private List<NetlinkMessage> receive(String call) {
        return receive(call, 0).orElseThrow();
    }

    private Optional<List<NetlinkMessage>> receive(String call, int flags) {
        senderBytes.set(JAVA_INT, 0, ADDRESS_BYTES);
        long count;
        do {
            count = Native.raw(
                    Nr.RECVFROM, socket.number(), room.address(), ROOM, flags, sender.address(), senderBytes.address());
        } while (count == -Errno.EINTR);
        if (count == -Errno.EAGAIN && flags != 0) {
            return Optional.empty();
        }
        if (count < 0) {
            throw new NetlinkException(call, 0, (int) -count, count == -Errno.EAGAIN ? "no answer" : "");
        }
        if (sender.get(JAVA_INT, PORT_AT) != 0) {
            throw new NetlinkException(call, 0, Errno.EPROTO, "somebody else answered, not the kernel");
        }
        received += count;
        return Optional.of(NetlinkMessage.parse(room.asSlice(0, count).toArray(JAVA_BYTE), (int) count));
    }

    /// Returns why a request failed, of NLMSG_ERROR or NLMSG_DONE; empty for an acknowledgement.
    private static Optional<NetlinkException> refusal(String call, NetlinkMessage message) {
        int errno = message.body().length < 4 ? 0 : -message.u32(0);
        if (errno <= 0) {
            return Optional.empty();
        }
        return Optional.of(new NetlinkException(call, message.sequence(), errno, words(message)));
    }

    private static String words(NetlinkMessage message) {
        int original = 4;
        if (message.type() == NetlinkMessage.ERROR) {
            if ((message.flags() & HAS_ATTRIBUTES) == 0 || message.body().length < 4 + NetlinkWriter.HEADER) {
                return "";
            }
            boolean capped = (message.flags() & CAPPED) != 0;
            original += capped ? NetlinkWriter.HEADER : (message.u32(4) + 3) & ~3;
        }
        return original >= message.body().length || original < 0
                ? ""
                : NetlinkAttributes.parse(message.body(), original)
                        .string(WORDS)
                        .orElse("");
    }

    private void option(int level, int name, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            number.set(JAVA_INT, 0, value);
            Native.check(
                    "setsockopt netlink " + name,
                    Native.raw(Nr.SETSOCKOPT, socket.number(), level, name, number.address(), 4, 0));
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
