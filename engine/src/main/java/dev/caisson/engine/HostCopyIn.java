package dev.caisson.engine;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// Copies a tree of the host into a container.
final class HostCopyIn {
    private final ServedFiles files;
    private final CopyTally tally;

    HostCopyIn(ServedFiles files, CopyOptions options) {
        this.files = files;
        this.tally = new CopyTally(options);
    }

    /// @param path of the file or directory that is made
    CopyReport copy(Path host, String path) throws IOException {
        Path absolute = host.toAbsolutePath().normalize();
        try (Fd above = HostCopy.directoryOf(absolute)) {
            String name = absolute.getFileName() == null ? "." : HostCopy.nameOf(absolute);
            entry(above, name, absolute.toString(), path, 0);
        }
        return tally.report();
    }

    private void entry(Fd above, String name, String shown, String path, int depth) throws IOException {
        tally.enter(path, depth);
        FileStatus status = HostCopy.status(above, name, shown);
        if (status.isSymbolicLink()) {
            String target = HostFailures.call(shown, () -> FileSystem.readLink(above, name));
            owned(status, path).link(path, target);
        } else if (status.isDirectory()) {
            directory(above, name, shown, path, depth);
        } else if (status.isRegularFile()) {
            file(above, name, shown, path);
        } else if (depth == 0) {
            throw FileFailures.of(Errno.ENXIO, shown);
        } else {
            tally.leaveOut();
        }
    }

    private ServedFiles owned(FileStatus status, String path) {
        return files.owned(tally.options(), status.uid(), status.gid(), path);
    }

    /// A directory that is copied onto one that is there leaves that as it is; those below it get permissions and owner
    /// of what is copied.
    private void directory(Fd above, String name, String shown, String path, int depth) throws IOException {
        try (Fd own = HostCopy.open(above, name, FileSystem.O_DIRECTORY, shown)) {
            FileStatus status = FileSystem.status(own);
            boolean there = depth == 0 && files.isDirectory(path);
            if (!there) {
                owned(status, path).directory(path, status.permissions() & HostCopy.KEPT_MODE);
            }
            for (String entry : HostFailures.call(shown, () -> DirectoryEntries.of(own))) {
                entry(own, entry, shown + "/" + entry, ContainerPath.below(path, entry), depth + 1);
            }
            if (!there) {
                files.modified(path, status.modified());
            }
        }
    }

    private void file(Fd above, String name, String shown, String path) throws IOException {
        try (Fd own = HostCopy.open(above, name, 0, shown)) {
            FileStatus status = FileSystem.status(own);
            if (!status.isRegularFile()) {
                throw FileFailures.of(Errno.ENXIO, shown);
            }
            tally.announce(status.size(), shown);
            var how = new ServedFiles.Put(
                    status.permissions() & HostCopy.KEPT_MODE,
                    Optional.of(status.modified()),
                    FileFlags.MODE | FileFlags.REPLACE,
                    count -> tally.add(count, shown));
            owned(status, path).put(path, new HostCopy.FileStream(own, shown), how);
        }
    }
}
