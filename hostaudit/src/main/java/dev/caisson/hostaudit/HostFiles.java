package dev.caisson.hostaudit;

import dev.caisson.hostaudit.HostFacts.FileFact;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Files of the host: owner, mode bits, access control lists and the directories above. `root` is where the host's
/// root directory is mounted, `/` on the host itself.
final class HostFiles {
    private static final int TYPE = 0170000;
    private static final int SOCKET = 0140000;
    private static final int OTHERS_WRITE = 022;
    private static final int STICKY = 01000;
    private static final int READ_LIMIT = 4 << 20;
    private static final int ENTRY = 8;
    private static final int USER_ENTRY = 0x02;
    private static final int GROUP_ENTRY = 0x08;
    private static final int MASK_ENTRY = 0x10;

    private final Path root;

    HostFiles(Path root) {
        this.root = root;
    }

    /// What the kernel tells of a file, after links; empty where it does not exist.
    /// @throws ErrnoException where it may not be looked at
    Optional<FileFact> fact(String path) {
        Path real;
        try {
            real = inRoot(path).toRealPath();
        } catch (IOException e) {
            return Optional.empty();
        }
        try (Fd file = FileSystem.open(real.toString(), FileSystem.O_PATH | FileSystem.O_NOFOLLOW)) {
            FileStatus status = FileSystem.status(file);
            String resolved = real.startsWith(root) ? "/" + root.relativize(real) : real.toString();
            String kind = status.isDirectory()
                    ? "directory"
                    : status.isRegularFile() ? "file" : (status.mode() & TYPE) == SOCKET ? "socket" : "other";
            return Optional.of(new FileFact(
                    path,
                    resolved,
                    kind,
                    Integer.toUnsignedLong(status.uid()),
                    Integer.toUnsignedLong(status.gid()),
                    status.permissions(),
                    status.fileSystem(),
                    status.inode(),
                    grants(file),
                    openParents(real)));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Directories up to the root that somebody other than root could use to put another file in this one's place. A
    /// sticky directory protects what root owns in it.
    private List<String> openParents(Path real) {
        var open = new ArrayList<String>();
        for (Path above = real.getParent();
                above != null && above.startsWith(root) && !above.equals(root);
                above = above.getParent()) {
            try (Fd directory = FileSystem.open(above.toString(), FileSystem.O_PATH | FileSystem.O_NOFOLLOW)) {
                FileStatus status = FileSystem.status(directory);
                boolean writable = (status.permissions() & OTHERS_WRITE) != 0 && (status.permissions() & STICKY) == 0;
                boolean granted =
                        grants(directory).stream().anyMatch(grant -> grant.indexOf('w', grant.indexOf(':')) > 0);
                if (status.uid() != 0 || writable || granted) {
                    open.add(String.format(
                            "/%s %04o uid %d", root.relativize(above), status.permissions(), status.uid()));
                }
            }
        }
        return open;
    }

    /// The named users and groups of a POSIX access control list, acl(5): version, then tag, permissions and id.
    private static List<String> grants(Fd file) {
        byte[] list =
                ExtendedAttributes.get(file, ExtendedAttributes.ACCESS_LIST).orElse(new byte[0]);
        ByteBuffer entries = ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN);
        int mask = 7;
        for (int at = 4; at + ENTRY <= list.length; at += ENTRY) {
            if (entries.getShort(at) == MASK_ENTRY) {
                mask = entries.getShort(at + 2);
            }
        }
        var grants = new ArrayList<String>();
        for (int at = 4; at + ENTRY <= list.length; at += ENTRY) {
            int tag = entries.getShort(at);
            if (tag == USER_ENTRY || tag == GROUP_ENTRY) {
                int bits = entries.getShort(at + 2) & mask;
                grants.add((tag == USER_ENTRY ? "user " : "group ")
                        + Integer.toUnsignedString(entries.getInt(at + 4)) + ": "
                        + ((bits & 4) != 0 ? "r" : "-") + ((bits & 2) != 0 ? "w" : "-")
                        + ((bits & 1) != 0 ? "x" : "-"));
            }
        }
        return grants;
    }

    Path inRoot(String path) {
        return root.resolve(path.startsWith("/") ? path.substring(1) : path);
    }

    /// The text of a regular file of bounded size; empty where there is none.
    Optional<String> text(String path) {
        try {
            Path file = inRoot(path);
            if (!Files.isRegularFile(file) || Files.size(file) > READ_LIMIT) {
                return Optional.empty();
            }
            return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Paths below a directory, links not followed, sorted.
    List<String> below(String directory, int depth) {
        try (Stream<Path> files = Files.walk(inRoot(directory), depth)) {
            return files.map(file -> "/" + root.relativize(file)).sorted().toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }

    boolean exists(String path) {
        return Files.exists(inRoot(path));
    }
}
