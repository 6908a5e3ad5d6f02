package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.facts.HostFacts.FileFact;
import dev.caisson.hostaudit.facts.HostPaths;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Files of the host: owner, mode bits, access control lists and the directories above. `root` is where the
/// host's root directory is mounted, `/` on the host itself.
public final class HostFiles {
    private static final int TYPE = 0170000;
    private static final int SOCKET = 0140000;
    private static final int OTHERS_WRITE = 022;
    private static final int OTHERS_READ = 04;
    private static final int OTHERS_SEARCH = 01;
    private static final int OWNER_SEARCH = 0100;
    private static final long ROOT = 0;
    private static final int STICKY = 01000;
    private static final int ANY_EXECUTE = 0111;
    private static final int READ_LIMIT = 4 << 20;
    private static final int MOST_FILES = 10_000;
    /// Links of the host, absolute ones too, lead nowhere but into the host.
    private static final long INSIDE = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;

    private static final int ENTRY = 8;
    private static final int USER_ENTRY = 0x02;
    private static final int GROUP_ENTRY = 0x08;
    private static final int MASK_ENTRY = 0x10;

    private final Path root;
    private final List<Gap> gaps;

    /// @param gaps takes what exists and cannot be read
    public HostFiles(Path root, List<Gap> gaps) {
        this.root = root;
        this.gaps = gaps;
    }

    private Fd root() {
        return FileSystem.open(root.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
    }

    /// Opens a path of the host; empty where nothing has that name.
    private static Optional<Fd> find(Fd root, String path, int flags) {
        return FileSystem.find(root, path, flags, INSIDE);
    }

    private void gap(String path, ErrnoException problem) {
        gaps.add(new Gap(path, "it may not be looked at: " + problem.getMessage()));
    }

    /// A file to look at, O_PATH; empty where it does not exist or may not be looked at.
    public Optional<Fd> open(String path) {
        try (Fd top = root()) {
            return find(top, path, FileSystem.O_PATH);
        } catch (ErrnoException e) {
            gap(path, e);
            return Optional.empty();
        }
    }

    /// Returns the path of a host directory for this process, without links.
    public Optional<Path> directory(String path) {
        try (Fd top = root()) {
            Optional<Fd> found = find(top, path, FileSystem.O_PATH | FileSystem.O_DIRECTORY);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            try (Fd directory = found.get()) {
                return Optional.of(Path.of(FileSystem.path(directory)));
            }
        } catch (ErrnoException e) {
            gap(path, e);
            return Optional.empty();
        }
    }

    /// True if the host has a program there.
    public boolean isProgram(String path) {
        return fact(path)
                .filter(file -> file.kind().equals("file") && (file.mode() & ANY_EXECUTE) != 0)
                .isPresent();
    }

    /// Returns the kernel's view of a file, after links; empty if it does not exist or may not be looked at.
    public Optional<FileFact> fact(String path) {
        try (Fd top = root()) {
            Optional<Fd> found = find(top, path, FileSystem.O_PATH);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            try (Fd file = found.get()) {
                return Optional.of(fact(path, top, file));
            }
        } catch (ErrnoException e) {
            gap(path, e);
            return Optional.empty();
        }
    }

    private static FileFact fact(String path, Fd top, Fd file) {
        FileStatus status = FileSystem.status(file);
        String resolved = resolved(top, file);
        String kind = status.isDirectory()
                ? "directory"
                : status.isRegularFile() ? "file" : (status.mode() & TYPE) == SOCKET ? "socket" : "other";
        return new FileFact(
                path,
                resolved,
                kind,
                Integer.toUnsignedLong(status.uid()),
                Integer.toUnsignedLong(status.gid()),
                status.permissions(),
                status.fileSystem(),
                status.inode(),
                grants(file),
                openParents(top, resolved));
    }

    /// The path of an open file without links, as the host has it.
    private static String resolved(Fd top, Fd file) {
        String here = FileSystem.path(file);
        String above = FileSystem.path(top);
        return !above.equals("/") && HostPaths.isBelow(here, above) ? here.substring(above.length()) : here;
    }

    /// Directories up to the root that somebody other than root could use to put another file in this one's
    /// place. A sticky directory protects what root owns in it.
    private static List<String> openParents(Fd top, String resolved) {
        var open = new ArrayList<String>();
        for (Path above = Path.of(resolved).getParent();
                above != null && above.getNameCount() > 0;
                above = above.getParent()) {
            try (Fd directory =
                    FileSystem.openAt(top, above.toString(), FileSystem.O_PATH | FileSystem.O_NOFOLLOW, 0, INSIDE)) {
                FileStatus status = FileSystem.status(directory);
                boolean writable = (status.permissions() & OTHERS_WRITE) != 0 && (status.permissions() & STICKY) == 0;
                boolean granted =
                        grants(directory).stream().anyMatch(grant -> grant.indexOf('w', grant.indexOf(':')) > 0);
                if (status.uid() != 0 || writable || granted) {
                    open.add(String.format(Locale.ROOT, "%s %04o uid %d", above, status.permissions(), status.uid()));
                }
            }
        }
        return open;
    }

    /// The named users and groups of a POSIX access control list, acl(5): version, then tag, permissions
    /// and id.
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

    /// The text of a regular file of bounded size; empty where there is none.
    public Optional<String> text(String path) {
        return text(path, ROOT);
    }

    /// Like [#text], where that user can read the file too. What a user's engine names may lead root to any file of the
    /// host, and to another at the next moment: what is judged is what is read.
    public Optional<String> text(String path, long user) {
        try (Fd top = root()) {
            Optional<Fd> found = find(top, path, FileSystem.O_PATH);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            try (Fd file = found.get()) {
                return text(path, user, top, file);
            }
        } catch (ErrnoException e) {
            gap(path, e);
            return Optional.empty();
        }
    }

    /// Nothing is opened for reading before it is known to be a regular file: a device would be woken.
    private Optional<String> text(String path, long user, Fd top, Fd file) {
        FileStatus status = FileSystem.status(file);
        if (!status.isRegularFile()) {
            gaps.add(new Gap(path, "it is no regular file"));
            return Optional.empty();
        }
        if (user != ROOT && !isOpenTo(user, status, top, file)) {
            gaps.add(new Gap(path, "the engine's own user cannot read it"));
            return Optional.empty();
        }
        // proc(5)'s link opens the very file that was looked at
        try (Fd opened = FileSystem.open("/proc/self/fd/" + file.number(), FileSystem.O_RDONLY | FileSystem.O_NOCTTY)) {
            byte[] content = FileSystem.read(opened, READ_LIMIT + 1);
            if (content.length > READ_LIMIT) {
                gaps.add(new Gap(path, "it has more than " + READ_LIMIT + " bytes"));
                return Optional.empty();
            }
            return Optional.of(new String(content, StandardCharsets.UTF_8));
        }
    }

    /// By owner and the bits for others, of the file and of all directories above it. Groups and access control lists
    /// are not asked: who needs them is told that the file was not read.
    private static boolean isOpenTo(long user, FileStatus file, Fd top, Fd held) {
        if (Integer.toUnsignedLong(file.uid()) == user) {
            return true;
        }
        if ((file.permissions() & OTHERS_READ) == 0) {
            return false;
        }
        for (Path above = Path.of(resolved(top, held)).getParent();
                above != null && above.getNameCount() > 0;
                above = above.getParent()) {
            try (Fd directory =
                    FileSystem.openAt(top, above.toString(), FileSystem.O_PATH | FileSystem.O_NOFOLLOW, 0, INSIDE)) {
                FileStatus status = FileSystem.status(directory);
                int search = Integer.toUnsignedLong(status.uid()) == user ? OWNER_SEARCH : OTHERS_SEARCH;
                if ((status.permissions() & search) == 0) {
                    return false;
                }
            }
        }
        return true;
    }

    /// A directory and the paths below it, links not followed, sorted; at most so many, and more are a gap.
    public List<String> below(String directory, int depth) {
        var all = new ArrayList<String>();
        try (Fd top = root()) {
            Optional<Fd> found = find(top, directory, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
            if (found.isPresent()) {
                try (Fd opened = found.get()) {
                    all.add(directory);
                    below(opened, directory, depth, all);
                }
            }
        } catch (ErrnoException e) {
            gap(directory, e);
        }
        all.sort(java.util.Comparator.naturalOrder());
        return all;
    }

    private static void below(Fd directory, String path, int depth, List<String> all) {
        if (depth == 0) {
            return;
        }
        for (String name : DirectoryEntries.of(directory, MOST_FILES - all.size() + 1)) {
            if (all.size() == MOST_FILES) {
                throw new ErrnoException("more than " + MOST_FILES + " files below " + path, Errno.E2BIG);
            }
            String below = path + "/" + name;
            all.add(below);
            // what lies at the bottom may be closed to this process
            if (depth > 1 && FileSystem.status(directory, name).isDirectory()) {
                try (Fd child = FileSystem.openAt(
                        directory,
                        name,
                        FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW,
                        0,
                        FileSystem.RESOLVE_NO_SYMLINKS)) {
                    below(child, below, depth - 1, all);
                }
            }
        }
    }

    public boolean exists(String path) {
        Optional<Fd> found = open(path);
        found.ifPresent(Fd::close);
        return found.isPresent();
    }
}
