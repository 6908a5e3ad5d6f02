package dev.caisson.engine;

import dev.caisson.image.TarWriter;
import dev.caisson.launch.IdRange;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes files of layers as members of a tar archive, with the owners that a container sees. No link is followed,
/// no other mount is entered, and only regular files are opened.
final class MemberPack {
    private static final List<String> REDIRECTED = List.of("trusted.overlay.redirect", "trusted.overlay.metacopy");
    private static final String USER = "user.";
    private static final int BUFFER = 128 << 10;
    /// A pipe that was put in the place of a file would hold up whoever opens it.
    private static final int FILE = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;

    private static final long BENEATH =
            FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS | FileSystem.RESOLVE_NO_XDEV;

    /// A file that has several names.
    private record Node(long fileSystem, long inode) {}

    private final TarWriter archive;
    private final Instant latest;
    private final Map<Node, String> linked = new HashMap<>();
    private final byte[] buffer = new byte[BUFFER];

    /// @param latest later times become this one
    MemberPack(OutputStream to, Instant latest) {
        this.archive = new TarWriter(to);
        this.latest = latest;
    }

    void finish() throws IOException {
        archive.finish();
    }

    /// Writes an empty file of root's without permissions and time.
    void mark(String member) throws IOException {
        archive.file(member, 0, new TarWriter.Attributes(0, 0, 0, Instant.EPOCH));
    }

    /// Writes a directory, without what is in it.
    /// @param idBase the number on this file system of the container's user 0
    /// @return the directory's extended attributes
    List<String> directory(Fd opened, String path, String member, int idBase) throws IOException {
        FileStatus status = FileSystem.status(opened);
        List<String> names = ExtendedAttributes.names(opened);
        requireWhole(names, path);
        archive.directory(member, attributes(status, path, idBase, extended(opened, names, idBase)));
        return names;
    }

    /// Writes what is no directory, or one more name of a file that is written.
    void leaf(Fd above, String name, String path, String member, FileStatus status, int idBase) throws IOException {
        var node = new Node(status.fileSystem(), status.inode());
        String before = status.links() > 1 ? linked.get(node) : null;
        if (before != null) {
            archive.hardLink(member, before, attributes(status, path, idBase, Map.of()));
        } else {
            linked.put(node, member);
            only(above, name, path, member, status, idBase);
        }
    }

    private void only(Fd above, String name, String path, String member, FileStatus status, int idBase)
            throws IOException {
        if (status.isSymbolicLink()) {
            archive.symbolicLink(member, FileSystem.readLink(above, name), attributes(status, path, idBase, Map.of()));
        } else if (status.isRegularFile()) {
            try (Fd opened = FileSystem.openAt(above, name, FILE, 0, BENEATH)) {
                file(opened, path, member, idBase);
            } catch (ErrnoException e) {
                throw replaced(e, path);
            }
        } else if (status.isPipe()) {
            archive.pipe(member, attributes(status, path, idBase, Map.of()));
        } else {
            throw new EngineException(
                    "LAYER_DEVICE", Quoted.of(path) + " is a device, which no image layer may have: remove it");
        }
    }

    /// Its size stands in front of it: of what is added meanwhile nothing is written.
    private void file(Fd opened, String path, String member, int idBase) throws IOException {
        FileStatus status = FileSystem.status(opened);
        if (!status.isRegularFile()) {
            throw FileFailures.changed(path);
        }
        List<String> names = ExtendedAttributes.names(opened);
        requireWhole(names, path);
        archive.file(member, status.size(), attributes(status, path, idBase, extended(opened, names, idBase)));
        long done = 0;
        while (done < status.size()) {
            int count = FileContent.readAt(opened, buffer, done);
            if (count == 0) {
                throw FileFailures.changed(path);
            }
            int part = (int) Math.min(count, status.size() - done);
            archive.content(buffer, part);
            done += part;
        }
    }

    /// The container has put something else there meanwhile.
    static RuntimeException replaced(ErrnoException e, String path) {
        boolean isOther = e.is(Errno.ENOENT)
                || e.is(Errno.ENOTDIR)
                || e.is(Errno.ELOOP)
                || e.is(Errno.EXDEV)
                || e.is(Errno.ENXIO);
        return isOther ? FileFailures.changed(path) : e;
    }

    /// Where the kernel's default for overlays says so, a layer has parts that only mean something above its
    /// image.
    static void requireWhole(List<String> names, String path) {
        if (names.stream().anyMatch(REDIRECTED::contains)) {
            throw new EngineException(
                    "LAYER_REDIRECT",
                    Quoted.of(path) + " was renamed or changed in a form that an image layer cannot have: turn"
                            + " redirect_dir and metacopy of the kernel's module overlay off, and create the container again");
        }
    }

    private TarWriter.Attributes attributes(FileStatus status, String path, int idBase, Map<String, byte[]> extended) {
        int uid = status.uid() - idBase;
        int gid = status.gid() - idBase;
        if (uid < 0 || uid >= IdRange.WIDTH || gid < 0 || gid >= IdRange.WIDTH) {
            throw FileFailures.owner(path, Integer.toUnsignedLong(status.uid()), Integer.toUnsignedLong(status.gid()));
        }
        Instant time = status.modified().isAfter(latest) ? latest : status.modified();
        return new TarWriter.Attributes(status.permissions(), uid, gid, time, extended);
    }

    static Map<String, byte[]> extended(Fd file, List<String> names, int idBase) {
        var found = new LinkedHashMap<String, byte[]>();
        for (String name : names) {
            if (name.startsWith(USER)) {
                ExtendedAttributes.get(file, name).ifPresent(value -> found.put(name, value));
            } else if (name.equals(ExtendedAttributes.CAPABILITIES)) {
                ExtendedAttributes.get(file, name)
                        .flatMap(value -> FileCapabilities.ofImage(value, idBase))
                        .ifPresent(value -> found.put(name, value));
            }
        }
        return found;
    }
}
