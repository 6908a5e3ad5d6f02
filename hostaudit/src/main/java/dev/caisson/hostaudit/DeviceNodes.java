package dev.caisson.hostaudit;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Device nodes that a container can name, beyond those that every container has: all below its `/dev`,
/// links not followed, and those at the paths where the engine says that it put one. A container makes as many
/// files there as it likes: no more are looked at than a bound, and what was not is told.
final class DeviceNodes {
    private static final int TYPE = 0170000;
    private static final int CHARACTER = 0020000;
    private static final int BLOCK = 0060000;
    private static final int MOST_FILES = 20_000;
    private static final String UNSEEN = "not all of ";
    private static final int DEPTH = 8;
    /// Devices that every container has: null, zero, full, random, urandom, tty, console and ptmx, mem(4)
    /// and tty(4).
    private static final Set<String> USUAL = Set.of("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2");

    private static final int PTS_MAJOR = 136;

    private final Set<String> found = new TreeSet<>();
    private final int most;
    private int files;

    private DeviceNodes(int most) {
        this.most = most;
    }

    /// As `b 254:0 /dev/vda`, sorted, with entries that [#isUnseen] tells apart.
    /// @throws IllegalStateException with the reason where they cannot be looked at
    static List<String> of(long pid, List<String> claimed) {
        return of(pid, claimed, MOST_FILES);
    }

    /// @param most files that are looked at
    static List<String> of(long pid, List<String> claimed, int most) {
        var nodes = new DeviceNodes(most);
        try (Fd root = ProcessRoot.open(pid)) {
            nodes.at(root, "/dev");
            claimed.forEach(path -> nodes.at(root, path));
        } catch (ErrnoException e) {
            throw new IllegalStateException("the devices of process " + pid + " cannot be read: " + e.getMessage(), e);
        }
        return List.copyOf(nodes.found);
    }

    /// Whether the entry is none of a device, but of a directory of which not all was looked at.
    static boolean isUnseen(String entry) {
        return entry.startsWith(UNSEEN);
    }

    private void at(Fd root, String path) {
        long inside = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;
        FileSystem.find(root, path, FileSystem.O_PATH, inside).ifPresent(opened -> {
            try (Fd file = opened) {
                FileStatus status = FileSystem.status(file);
                if (!status.isDirectory()) {
                    add(status, path);
                    return;
                }
                try (Fd directory =
                        FileSystem.openAt(file, ".", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, inside)) {
                    below(directory, path, DEPTH);
                }
            }
        });
    }

    private void below(Fd directory, String path, int depth) {
        for (String name : DirectoryEntries.of(directory, most - files + 1)) {
            if (files == most || depth == 0) {
                found.add(UNSEEN + path);
                return;
            }
            files++;
            try {
                FileStatus status = FileSystem.status(directory, name);
                if (status.isDirectory()) {
                    try (Fd child = FileSystem.openAt(
                            directory,
                            name,
                            FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW,
                            0,
                            FileSystem.RESOLVE_NO_SYMLINKS)) {
                        below(child, path + "/" + name, depth - 1);
                    }
                } else {
                    add(status, path + "/" + name);
                }
            } catch (ErrnoException e) {
                if (e.errno() != dev.caisson.linux.Errno.ENOENT) {
                    throw e;
                }
                // a terminal that was closed meanwhile
            }
        }
    }

    private void add(FileStatus status, String path) {
        int type = status.mode() & TYPE;
        String number = status.deviceMajor() + ":" + status.deviceMinor();
        boolean usual = type == CHARACTER && (USUAL.contains(number) || status.deviceMajor() == PTS_MAJOR);
        if ((type == CHARACTER || type == BLOCK) && !usual) {
            found.add((type == BLOCK ? "b " : "c ") + number + " " + path);
        }
    }

    /// Whether a rule of the v1 devices controller allows reading or writing; without rules nothing forbids
    /// it.
    static boolean permitted(String node, List<String> rules) {
        String[] parts = node.split(" ", 3);
        if (rules.isEmpty() || parts.length < 3 || parts[0].length() != 1) {
            return true;
        }
        String[] number = parts[1].split(":", 2);
        return rules.stream()
                .map(rule -> rule.split("[ :]", -1))
                .anyMatch(rule -> rule.length == 4
                        && (rule[0].equals("a") || rule[0].equals(parts[0]))
                        && (rule[1].equals("*") || rule[1].equals(number[0]))
                        && (rule[2].equals("*") || rule[2].equals(number[1]))
                        && uses(rule[3]));
    }

    private static boolean uses(String access) {
        return access.contains("r") || access.contains("w");
    }

    /// Rules that let a container use devices beyond the usual ones, once it has made a node for them.
    static List<String> wide(List<String> rules) {
        return rules.stream()
                .filter(rule -> {
                    String[] parts = rule.split("[ :]", -1);
                    return parts.length != 4 || (uses(parts[3]) && !isUsual(parts));
                })
                .sorted()
                .toList();
    }

    /// 10:200 is tun(4), which low-level runtimes allow everybody: making an interface takes NET_ADMIN.
    private static boolean isUsual(String[] rule) {
        String number = rule[1] + ":" + rule[2];
        return rule[0].equals("c")
                && (USUAL.contains(number) || rule[1].equals(Integer.toString(PTS_MAJOR)) || number.equals("10:200"));
    }
}
