package dev.caisson.engine;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Copies a tree out of a container to the host.
final class HostCopyOut {
    private final ServedFiles files;
    private final CopyTally tally;

    HostCopyOut(ServedFiles files, CopyOptions options) {
        this.files = files;
        this.tally = new CopyTally(options);
    }

    CopyReport copy(String path, Path host) throws IOException {
        FileEntry entry = files.stat(path);
        Path absolute = host.toAbsolutePath().normalize();
        String shown = absolute.toString();
        try (Fd above = HostCopy.directoryOf(absolute)) {
            tally.atMost(FileSystemSpace.of(above).freeBytes());
            if (absolute.getFileName() == null && entry.isDirectory()) {
                below(path, above, "", 0);
            } else {
                entry(entry, path, above, HostCopy.nameOf(absolute), shown, 0);
            }
        }
        return tally.report();
    }

    private void entry(FileEntry entry, String path, Fd above, String name, String shown, int depth) {
        tally.enter(path, depth);
        switch (entry.type()) {
            case FILE -> file(entry, path, above, name, shown, depth);
            case DIRECTORY -> directory(entry, path, above, name, shown, depth);
            case LINK -> link(entry, path, above, name, shown);
            case SPECIAL -> {
                if (depth == 0) {
                    throw FileFailures.of(Errno.ENXIO, path);
                }
                tally.leaveOut();
            }
        }
    }

    private void file(FileEntry entry, String path, Fd above, String name, String shown, int depth) {
        Optional<Fd> opened = depth == 0 ? Optional.of(files.open(path)) : files.openData(path);
        if (opened.isEmpty()) {
            tally.leaveOut();
            return;
        }
        try (Fd from = opened.get();
                var to = new HostCopy.NewFile(above, name, shown)) {
            tally.announce(FileSystem.status(from).size(), path);
            ServedFiles.read(from, Long.MAX_VALUE, (bytes, count) -> {
                tally.add(count, path);
                to.write(bytes, count);
            });
            to.complete(HostCopy.Looks.of(entry, tally.options()));
        }
    }

    private void directory(FileEntry entry, String path, Fd above, String name, String shown, int depth) {
        boolean there = HostFailures.call(shown, () -> FileSystem.isDirectory(above, name));
        try (Fd own = HostFailures.call(shown, () -> FileSystem.openOrMakeDirectory(above, name, 0700))) {
            below(path, own, shown, depth);
            if (!there) {
                HostFailures.run(shown, () -> {
                    HostCopy.Looks looks = HostCopy.Looks.of(entry, tally.options());
                    looks.apply(own);
                    looks.date(own, ".");
                });
            }
        }
    }

    private void below(String path, Fd own, String shown, int depth) {
        Optional<List<FileEntry>> listed = depth == 0 ? Optional.of(files.list(path)) : files.listData(path);
        if (listed.isEmpty()) {
            tally.leaveOut();
        }
        for (FileEntry below : listed.orElse(List.of())) {
            entry(
                    below,
                    ContainerPath.below(path, below.name()),
                    own,
                    below.name(),
                    shown + "/" + below.name(),
                    depth + 1);
        }
    }

    private void link(FileEntry entry, String path, Fd above, String name, String shown) {
        String target = files.stat(path).target().orElseThrow(() -> FileFailures.of(Errno.EBUSY, path));
        HostCopy.removeIfThere(above, name, shown);
        HostFailures.run(shown, () -> {
            FileSystem.makeSymbolicLink(above, name, target);
            HostCopy.Looks looks = HostCopy.Looks.of(entry, tally.options());
            if (looks.owned()) {
                FileSystem.changeOwner(above, name, looks.uid(), looks.gid());
            }
        });
    }
}
