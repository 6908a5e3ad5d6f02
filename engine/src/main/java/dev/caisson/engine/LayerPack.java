package dev.caisson.engine;

import dev.caisson.image.TarWriter;
import dev.caisson.launch.IdRange;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.DirectoryEntries;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Writes what a container has changed as the tar archive of an image layer (OCI image specification, layer.md):
/// whiteouts by name, owners as the container sees them, members in the order of their names' bytes. The same
/// changes make the same bytes.
///
/// Names are one component below a directory that is held open, no link is followed, no other mount is entered, and
/// only regular files are opened. Sockets are left out.
final class LayerPack {
    private static final String WHITEOUT = ".wh.";
    private static final String OPAQUE = ".wh..wh..opq";
    private static final String OVERLAY_OPAQUE = "trusted.overlay.opaque";
    private static final List<String> REDIRECTED = List.of("trusted.overlay.redirect", "trusted.overlay.metacopy");
    private static final String USER = "user.";
    private static final int BUFFER = 128 << 10;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    /// A pipe that was put in the place of a file would hold up whoever opens it.
    private static final int FILE = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;

    private static final long BENEATH =
            FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS | FileSystem.RESOLVE_NO_XDEV;

    private final int idBase;
    private final TarWriter archive;
    private final Instant latest;
    private final Set<String> wanted = new HashSet<>();
    private final Map<Long, String> linked = new HashMap<>();
    private final byte[] buffer = new byte[BUFFER];

    /// @param idBase the host's number of the container's user 0
    /// @param changes what to write
    /// @param latest later times become this one
    private LayerPack(int idBase, List<FileChange> changes, OutputStream to, Optional<Instant> latest) {
        this.idBase = idBase;
        this.archive = new TarWriter(to);
        this.latest = latest.orElse(Instant.MAX);
        for (FileChange change : changes) {
            String path = change.path();
            while (!path.isEmpty() && wanted.add(path)) {
                path = path.substring(0, path.lastIndexOf('/'));
            }
        }
    }

    /// @param upper the directory that the container writes
    static void write(Fd upper, int idBase, List<FileChange> changes, OutputStream to, Optional<Instant> latest)
            throws IOException {
        var pack = new LayerPack(idBase, changes, to, latest);
        pack.below(upper, "");
        pack.archive.finish();
    }

    private void below(Fd directory, String path) throws IOException {
        for (String name : sorted(DirectoryEntries.of(directory))) {
            String own = path + "/" + name;
            if (wanted.contains(own)) {
                entry(directory, name, own);
            }
        }
    }

    private static List<String> sorted(List<String> names) {
        var sorted = new ArrayList<>(names);
        sorted.sort((one, other) -> Arrays.compareUnsigned(ByteText.bytes(one), ByteText.bytes(other)));
        return sorted;
    }

    private void entry(Fd above, String name, String path) throws IOException {
        requireName(name, path);
        FileStatus status = FileSystem.findStatus(above, name).orElseThrow(() -> FileFailures.changed(path));
        String member = path.substring(1);
        if (status.isCharacterDevice() && status.deviceMajor() == 0 && status.deviceMinor() == 0) {
            String whiteout = member.substring(0, member.length() - name.length()) + WHITEOUT + name;
            archive.file(whiteout, 0, new TarWriter.Attributes(0, 0, 0, Instant.EPOCH));
        } else if (status.isDirectory()) {
            directory(above, name, path, member);
        } else if (status.isSocket()) {
            return; // belongs to a process that is not part of an image
        } else if (status.links() > 1 && linked.containsKey(status.inode())) {
            archive.hardLink(member, linked.get(status.inode()), attributes(status, path, Map.of()));
        } else {
            linked.put(status.inode(), member);
            leaf(above, name, path, member, status);
        }
    }

    private static void requireName(String name, String path) {
        if (!ByteText.isUtf8(name) || name.startsWith(WHITEOUT)) {
            throw new EngineException(
                    "LAYER_NAME",
                    Quoted.of(path) + " cannot be in an image layer, where names are UTF-8 and " + WHITEOUT
                            + " marks what was deleted: rename or remove it");
        }
    }

    private void directory(Fd above, String name, String path, String member) throws IOException {
        try (Fd opened = FileSystem.openAt(above, name, DIRECTORY, 0, BENEATH)) {
            FileStatus status = FileSystem.status(opened);
            List<String> names = ExtendedAttributes.names(opened);
            requireWhole(names, path);
            archive.directory(member, attributes(status, path, extended(opened, names)));
            if (names.contains(OVERLAY_OPAQUE)) {
                archive.file(member + "/" + OPAQUE, 0, new TarWriter.Attributes(0, 0, 0, Instant.EPOCH));
            }
            below(opened, path);
        } catch (ErrnoException e) {
            throw replaced(e, path);
        }
    }

    private void leaf(Fd above, String name, String path, String member, FileStatus status) throws IOException {
        if (status.isSymbolicLink()) {
            archive.symbolicLink(member, FileSystem.readLink(above, name), attributes(status, path, Map.of()));
        } else if (status.isRegularFile()) {
            try (Fd opened = FileSystem.openAt(above, name, FILE, 0, BENEATH)) {
                file(opened, path, member);
            } catch (ErrnoException e) {
                throw replaced(e, path);
            }
        } else if (status.isPipe()) {
            archive.pipe(member, attributes(status, path, Map.of()));
        } else {
            throw new EngineException(
                    "LAYER_DEVICE", Quoted.of(path) + " is a device, which no image layer may have: remove it");
        }
    }

    /// Its size stands in front of it: of what is added meanwhile nothing is written.
    private void file(Fd opened, String path, String member) throws IOException {
        FileStatus status = FileSystem.status(opened);
        if (!status.isRegularFile()) {
            throw FileFailures.changed(path);
        }
        List<String> names = ExtendedAttributes.names(opened);
        requireWhole(names, path);
        archive.file(member, status.size(), attributes(status, path, extended(opened, names)));
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
    private static RuntimeException replaced(ErrnoException e, String path) {
        boolean isOther = e.is(Errno.ENOENT)
                || e.is(Errno.ENOTDIR)
                || e.is(Errno.ELOOP)
                || e.is(Errno.EXDEV)
                || e.is(Errno.ENXIO);
        return isOther ? FileFailures.changed(path) : e;
    }

    /// Where the kernel's default for overlays says so, a layer has parts that only mean something above its image.
    private static void requireWhole(List<String> names, String path) {
        if (names.stream().anyMatch(REDIRECTED::contains)) {
            throw new EngineException(
                    "LAYER_REDIRECT",
                    Quoted.of(path) + " was renamed or changed in a form that an image layer cannot have: turn"
                            + " redirect_dir and metacopy of the kernel's module overlay off, and create the container again");
        }
    }

    private TarWriter.Attributes attributes(FileStatus status, String path, Map<String, byte[]> extended) {
        int uid = status.uid() - idBase;
        int gid = status.gid() - idBase;
        if (uid < 0 || uid >= IdRange.WIDTH || gid < 0 || gid >= IdRange.WIDTH) {
            throw FileFailures.owner(path, Integer.toUnsignedLong(status.uid()), Integer.toUnsignedLong(status.gid()));
        }
        Instant time = status.modified().isAfter(latest) ? latest : status.modified();
        return new TarWriter.Attributes(status.permissions(), uid, gid, time, extended);
    }

    private Map<String, byte[]> extended(Fd file, List<String> names) {
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
