package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.DeviceRules;
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
public final class DeviceNodes {
    private static final int TYPE = 0170000;
    private static final int CHARACTER = 0020000;
    private static final int BLOCK = 0060000;
    private static final int MOST_FILES = 20_000;
    private static final int DEPTH = 8;
    private final Set<String> found = new TreeSet<>();
    private final int most;
    private int files;

    private DeviceNodes(int most) {
        this.most = most;
    }

    /// Lists nodes as `b 254:0 /dev/vda`, sorted, with entries that [DeviceRules#isUnseen] tells apart.
    /// @throws IllegalStateException with the reason where they cannot be looked at
    public static List<String> of(long pid, List<String> claimed) {
        return of(pid, claimed, MOST_FILES);
    }

    /// Like [#of(long, List)], with another bound.
    ///
    /// @param most files that are looked at
    public static List<String> of(long pid, List<String> claimed, int most) {
        var nodes = new DeviceNodes(most);
        try (Fd root = ProcessRoot.open(pid)) {
            nodes.at(root, "/dev");
            claimed.forEach(path -> nodes.at(root, path));
        } catch (ErrnoException e) {
            throw new IllegalStateException("the devices of process " + pid + " cannot be read: " + e.getMessage(), e);
        }
        return List.copyOf(nodes.found);
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
                found.add(DeviceRules.UNSEEN + path);
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
        boolean usual = type == CHARACTER && DeviceRules.isUsual(number);
        if ((type == CHARACTER || type == BLOCK) && !usual) {
            found.add((type == BLOCK ? "b " : "c ") + number + " " + path);
        }
    }
}
