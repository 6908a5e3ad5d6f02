package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The rules of the kernel's audit subsystem, asked over netlink: linux/audit.h, auditctl(8).
///
/// @param enabled 0 off, 1 on, 2 on and locked until the next boot
/// @param daemon process id of auditd, 0 where none listens
/// @param watches the rules that name a file or a directory
public record AuditRules(int enabled, int daemon, List<Watch> watches) {
    /// A rule that records accesses to a path.
    ///
    /// @param directory the rule covers what is below too
    /// @param permissions which accesses, of `r`, `w`, `x` and `a`; all where the rule names none
    /// @param never the rule says that nothing is recorded
    public record Watch(String path, boolean directory, String permissions, boolean never) {}

    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int NETLINK_AUDIT = 9;
    private static final int EPROTONOSUPPORT = 93;
    private static final int ECONNREFUSED = 111;

    private static final short NLMSG_ERROR = 2;
    private static final short NLMSG_DONE = 3;
    private static final short AUDIT_GET = 1000;
    private static final short AUDIT_LIST_RULES = 1013;
    private static final short NLM_F_REQUEST = 1;
    private static final short NLM_F_ACK = 4;
    private static final int HEADER = 16;

    private static final int AUDIT_WATCH = 105;
    private static final int AUDIT_PERM = 106;
    private static final int AUDIT_DIR = 107;
    private static final int AUDIT_FILTER_EXIT = 4;
    private static final int AUDIT_NEVER = 0;
    private static final int MASK_WORDS = 64;
    private static final int FIELDS = 64;
    private static final int BUFFER = 64 * 1024;
    /// Fields whose value is the length of a string in the rule's buffer: watch, directory, key, executable, and the
    /// SELinux labels of subjects and objects.
    private static final List<Integer> STRINGS =
            List.of(AUDIT_WATCH, AUDIT_DIR, 210, 112, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23);

    /// Asks the kernel; empty where it was built without the audit subsystem.
    /// @throws ErrnoException EPERM without CAP_AUDIT_CONTROL, ECONNREFUSED outside the first user namespace
    public static Optional<AuditRules> read() {
        long socket = Native.raw(Nr.SOCKET, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
        if (socket == -EPROTONOSUPPORT) {
            return Optional.empty();
        }
        try (Fd fd = Fd.of("socket NETLINK_AUDIT", socket)) {
            Sockets.receiveTimeout(fd, 2000);
            var status = new int[2];
            ask(fd, AUDIT_GET, message -> {
                status[0] = message.getInt(4);
                status[1] = message.getInt(12);
            });
            var watches = new ArrayList<Watch>();
            ask(fd, AUDIT_LIST_RULES, message -> watch(message).ifPresent(watches::add));
            return Optional.of(new AuditRules(status[0], status[1], List.copyOf(watches)));
        } catch (ErrnoException e) {
            if (e.is(ECONNREFUSED)) {
                throw new ErrnoException("audit netlink", Errno.EPERM);
            }
            throw e;
        }
    }

    private interface Reader {
        void take(ByteBuffer payload);
    }

    private static void ask(Fd socket, short type, Reader reader) {
        try (Arena arena = Arena.ofConfined()) {
            ByteBuffer request = ByteBuffer.allocate(HEADER).order(ByteOrder.nativeOrder());
            request.putInt(HEADER).putShort(type).putShort((short) (NLM_F_REQUEST | NLM_F_ACK));
            MemorySegment out = arena.allocate(HEADER, 8);
            MemorySegment.copy(request.array(), 0, out, JAVA_BYTE, 0, HEADER);
            Native.check("sendto audit", Native.raw(Nr.SENDTO, socket.number(), out.address(), HEADER, 0, 0, 0));
            MemorySegment in = arena.allocate(BUFFER, 8);
            boolean acknowledged = false;
            boolean answered = false;
            while (!acknowledged || !answered) {
                long count;
                do {
                    count = Native.raw(Nr.RECVFROM, socket.number(), in.address(), BUFFER, 0, 0, 0);
                } while (count == -Errno.EINTR);
                Native.check("recvfrom audit", count);
                ByteBuffer all =
                        ByteBuffer.wrap(in.asSlice(0, count).toArray(JAVA_BYTE)).order(ByteOrder.nativeOrder());
                // the length in audit's messages is not always aligned; each datagram holds one message
                short kind = all.getShort(4);
                ByteBuffer payload = all.slice(HEADER, all.limit() - HEADER).order(ByteOrder.nativeOrder());
                if (kind == NLMSG_ERROR) {
                    int error = payload.getInt(0);
                    if (error != 0) {
                        throw new ErrnoException("audit netlink", -error);
                    }
                    acknowledged = true;
                } else if (kind == NLMSG_DONE) {
                    answered = true;
                } else if (kind == type) {
                    reader.take(payload);
                    answered |= type == AUDIT_GET;
                }
            }
        }
    }

    /// struct audit_rule_data: flags, action, field count, mask, fields, values, operators, buffer.
    private static Optional<Watch> watch(ByteBuffer rule) {
        int fieldCount = Math.min(rule.getInt(8), FIELDS);
        int fields = 12 + 4 * MASK_WORDS;
        int values = fields + 4 * FIELDS;
        int strings = values + 8 * FIELDS + 4;
        String path = null;
        boolean directory = false;
        int permissions = 15;
        for (int at = 0; at < fieldCount; at++) {
            int field = rule.getInt(fields + 4 * at);
            int value = rule.getInt(values + 4 * at);
            if (field == AUDIT_PERM) {
                permissions = value;
            } else if (STRINGS.contains(field)) {
                if (value < 0 || strings + value > rule.limit()) {
                    return Optional.empty();
                }
                byte[] text = new byte[value];
                rule.get(strings, text);
                strings += value;
                if (field == AUDIT_WATCH || field == AUDIT_DIR) {
                    path = new String(text, StandardCharsets.UTF_8);
                    directory = field == AUDIT_DIR;
                }
            }
        }
        if (path == null || (rule.getInt(0) & 7) != AUDIT_FILTER_EXIT) {
            return Optional.empty();
        }
        String letters = ((permissions & 4) != 0 ? "r" : "")
                + ((permissions & 2) != 0 ? "w" : "")
                + ((permissions & 1) != 0 ? "x" : "")
                + ((permissions & 8) != 0 ? "a" : "");
        return Optional.of(new Watch(path, directory, letters, rule.getInt(4) == AUDIT_NEVER));
    }
}
