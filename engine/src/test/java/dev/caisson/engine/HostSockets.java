package dev.caisson.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Sockets of this process and of the zygote that a container could, from some other place, be a client of.
final class HostSockets {
    private static final Pattern SOCKET = Pattern.compile("socket:\\[(\\d+)]");
    private static final String LISTENS = "0A";

    private HostSockets() {}

    /// Lines of /proc/net/tcp and tcp6 that stand for listening sockets.
    static List<String> listening() throws IOException {
        return ofOurs(List.of("tcp", "tcp6"), 9).stream()
                .filter(line -> line.strip().split(" +", -1)[3].equals(LISTENS))
                .toList();
    }

    /// Lines of udp, udp6, raw and packet.
    static List<String> datagrams() throws IOException {
        var lines = new ArrayList<>(ofOurs(List.of("udp", "udp6", "raw", "raw6"), 9));
        lines.addAll(ofOurs(List.of("packet"), 8));
        return lines;
    }

    /// Lines of /proc/net/unix that have a name, abstract or in a directory.
    static List<String> named() throws IOException {
        return ofOurs(List.of("unix"), 6).stream()
                .filter(line -> line.strip().split(" +", -1).length > 7)
                .toList();
    }

    private static List<String> ofOurs(List<String> tables, int inodeField) throws IOException {
        Set<String> ours = inodes();
        var lines = new ArrayList<String>();
        for (String table : tables) {
            Path file = Path.of("/proc/self/net", table);
            if (!Files.exists(file)) {
                continue;
            }
            for (String line : Files.readAllLines(file)) {
                String[] words = line.strip().split(" +", -1);
                if (words.length > inodeField && ours.contains(words[inodeField])) {
                    lines.add(line);
                }
            }
        }
        return lines;
    }

    private static Set<String> inodes() throws IOException {
        var inodes = new HashSet<String>();
        var processes = new ArrayList<>(List.of(ProcessHandle.current()));
        processes.addAll(ProcessHandle.current()
                .children()
                .filter(FailpointEngine::isZygote)
                .toList());
        for (ProcessHandle process : processes) {
            try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
                for (Path descriptor : descriptors.toList()) {
                    Matcher socket = SOCKET.matcher(target(descriptor));
                    if (socket.matches()) {
                        inodes.add(socket.group(1));
                    }
                }
            }
        }
        return inodes;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            // Closed since it was listed.
            return "";
        }
    }
}
