package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The sockets of a network namespace that wait for others, read through one of its processes.
public final class SocketTable {
    private static final String LISTENING = "0A";
    private static final String UNCONNECTED = "07";
    /// There are as many ports, for each protocol and family.
    private static final int MOST_LISTENERS = 4 * 65_536;
    private static final int UNIX_ACCEPTS = 1 << 16;
    /// Address, references, protocol, flags, type, state, inode and a path, net/unix/af_unix.c.
    private static final Pattern UNIX_LINE =
            Pattern.compile("\\S+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} [0-9A-F]{2} +([0-9]{1,18}) (/.*)");

    private SocketTable() {}

    /// TCP sockets that listen and UDP sockets that take from anybody, proc_pid_net(5).
    public static List<Listener> listeners(long pid) {
        var all = new ArrayList<Listener>();
        String counts = Proc.text(pid, "net/sockstat").orElse("") + "\n"
                + Proc.text(pid, "net/sockstat6").orElse("");
        for (String table : List.of("tcp", "tcp6", "udp", "udp6")) {
            if (!inUse(counts, table)) {
                continue;
            }
            String protocol = table.substring(0, 3);
            String state = protocol.equals("tcp") ? LISTENING : UNCONNECTED;
            Proc.lines(pid, "net/" + table, line -> {
                String[] cells = line.strip().split("\\s+", 11);
                if (cells.length > 9 && cells[3].equals(state) && all.size() < MOST_LISTENERS) {
                    int colon = cells[1].indexOf(':');
                    all.add(new Listener(
                            protocol,
                            address(cells[1].substring(0, colon)),
                            Integer.parseInt(cells[1].substring(colon + 1), 16),
                            Long.parseLong(cells[9])));
                }
            });
        }
        return all;
    }

    /// True if the namespace has sockets of that kind at all. The tables themselves are slow to read: the
    /// kernel looks through the buckets of all namespaces, even for one that has no socket.
    public static boolean inUse(String sockstat, String table) {
        String head = table.toUpperCase(Locale.ROOT) + ": inuse ";
        return sockstat.lines()
                .filter(line -> line.startsWith(head))
                .noneMatch(
                        line -> line.substring(head.length()).split(" ", 2)[0].equals("0"));
    }

    /// The kernel prints each 32-bit word of an address in the machine's order.
    public static String address(String hex) {
        ByteBuffer bytes = ByteBuffer.allocate(hex.length() / 2).order(ByteOrder.nativeOrder());
        for (int at = 0; at < hex.length(); at += 8) {
            bytes.putInt((int) Long.parseLong(hex.substring(at, at + 8), 16));
        }
        try {
            String text = InetAddress.getByAddress(bytes.array()).getHostAddress();
            return text.equals("0:0:0:0:0:0:0:0") ? "::" : text.equals("0:0:0:0:0:0:0:1") ? "::1" : text;
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of " + hex.length() / 2 + " bytes", e);
        }
    }

    /// Paths of the unix sockets that listen, by inode of the socket, not of the file. A name may hold line
    /// breaks, as those of abstract sockets do, and then looks like further lines, each with an inode of
    /// its author's choice: a path is only ever a place to look at, and one inode may have several.
    public static Map<Long, Set<String>> unix(long pid) {
        return unix(Proc.text(pid, "net/unix").orElse(""));
    }

    public static Map<Long, Set<String>> unix(String table) {
        Map<Long, Set<String>> all = new HashMap<>();
        table.lines().map(UNIX_LINE::matcher).filter(Matcher::matches).forEach(line -> {
            if ((Long.parseLong(line.group(1), 16) & UNIX_ACCEPTS) != 0) {
                all.computeIfAbsent(Long.valueOf(line.group(2)), inode -> new TreeSet<>())
                        .add(line.group(3));
            }
        });
        return all;
    }

    /// Paths of the listening unix sockets that a process has open.
    public static Stream<String> unixOf(long pid) {
        Map<Long, Set<String>> bound = unix(pid);
        return Proc.socketInodes(pid).stream().flatMap(inode -> bound.getOrDefault(inode, Set.of()).stream());
    }
}
