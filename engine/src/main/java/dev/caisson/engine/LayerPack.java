package dev.caisson.engine;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
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
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    private static final long BENEATH =
            FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS | FileSystem.RESOLVE_NO_XDEV;

    private final int idBase;
    private final MemberPack archive;
    private final Set<String> wanted = new HashSet<>();

    /// @param idBase the host's number of the container's user 0
    /// @param changes what to write
    /// @param latest later times become this one
    private LayerPack(int idBase, List<FileChange> changes, OutputStream to, Optional<Instant> latest) {
        this.idBase = idBase;
        this.archive = new MemberPack(to, latest.orElse(Instant.MAX));
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

    /// Returns names in the order of their bytes.
    static List<String> sorted(Collection<String> names) {
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
            archive.mark(whiteout);
        } else if (status.isDirectory()) {
            directory(above, name, path, member);
        } else if (status.isSocket()) {
            return; // belongs to a process that is not part of an image
        } else {
            archive.leaf(above, name, path, member, status, idBase);
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
            List<String> attributes = archive.directory(opened, path, member, idBase);
            if (attributes.contains(OVERLAY_OPAQUE)) {
                archive.mark(member + "/" + OPAQUE);
            }
            below(opened, path);
        } catch (ErrnoException e) {
            throw MemberPack.replaced(e, path);
        }
    }
}
