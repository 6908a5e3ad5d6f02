package dev.caisson.engine;

import dev.caisson.image.TarWriter;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/// Writes a tree of a container as a tar archive. What the stream throws is an IOException.
final class TarPack {
    private final ServedFiles files;
    private final TarWriter archive;
    private final CopyTally tally;

    TarPack(ServedFiles files, OutputStream to, CopyOptions options) {
        this.files = files;
        this.archive = new TarWriter(to);
        this.tally = new CopyTally(options);
    }

    /// @param name of the tree in the archive; `.` for a directory whose entries stand at the top
    CopyReport pack(String path, String name) throws IOException {
        try {
            entry(files.stat(path), path, name, 0);
            archive.finish();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return tally.report();
    }

    private void entry(FileEntry entry, String path, String name, int depth) throws IOException {
        tally.enter(path, depth);
        var attributes =
                new TarWriter.Attributes(entry.mode() & HostCopy.KEPT_MODE, entry.uid(), entry.gid(), entry.modified());
        switch (entry.type()) {
            case FILE -> file(path, name, attributes, depth);
            case DIRECTORY -> {
                archive.directory(name, attributes);
                below(path, name, depth);
            }
            case LINK ->
                archive.symbolicLink(
                        name,
                        files.stat(path).target().orElseThrow(() -> FileFailures.of(Errno.EBUSY, path)),
                        attributes);
            case SPECIAL -> {
                if (depth == 0) {
                    throw FileFailures.of(Errno.ENXIO, path);
                }
                tally.leaveOut();
            }
        }
    }

    private void below(String path, String name, int depth) throws IOException {
        Optional<List<FileEntry>> listed = depth == 0 ? Optional.of(files.list(path)) : files.listData(path);
        if (listed.isEmpty()) {
            tally.leaveOut();
        }
        for (FileEntry below : listed.orElse(List.of())) {
            entry(below, ContainerPath.below(path, below.name()), name + "/" + below.name(), depth + 1);
        }
    }

    /// Its size stands in front of it: of what is added meanwhile nothing is copied, and what is taken away
    /// is an error.
    private void file(String path, String name, TarWriter.Attributes attributes, int depth) throws IOException {
        Optional<Fd> opened = depth == 0 ? Optional.of(files.open(path)) : files.openData(path);
        if (opened.isEmpty()) {
            tally.leaveOut();
            return;
        }
        try (Fd from = opened.get()) {
            long size = FileSystem.status(from).size();
            tally.announce(size, path);
            archive.file(name, size, attributes);
            long copied = ServedFiles.read(from, size, (bytes, count) -> {
                tally.add(count, path);
                write(bytes, count);
            });
            if (copied < size) {
                throw FileFailures.changed(path);
            }
        }
    }

    private void write(byte[] bytes, int count) {
        try {
            archive.content(bytes, count);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
