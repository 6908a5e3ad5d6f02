package dev.caisson.engine;

import dev.caisson.image.ImageException;
import dev.caisson.image.TarEntry;
import dev.caisson.image.TarReader;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Optional;

/// Reads a tar archive into a directory of a container. No name of it leads out of that directory, neither
/// by `..` nor by a link, and devices and pipes are left out.
final class TarUnpack {
    private record Dated(String path, Instant modified) {}

    private final ServedFiles files;
    private final String directory;
    private final TarReader archive;
    private final CopyTally tally;
    private final Deque<Dated> directories = new ArrayDeque<>();

    TarUnpack(ServedFiles files, InputStream from, String directory, CopyOptions options) {
        this.files = files;
        this.directory = directory;
        this.archive = new TarReader(from);
        this.tally = new CopyTally(options);
    }

    CopyReport unpack() throws IOException {
        if (!files.stat(directory).isDirectory()) {
            throw FileFailures.of(dev.caisson.linux.Errno.ENOTDIR, directory);
        }
        try {
            for (Optional<TarEntry> next = archive.next(); next.isPresent(); next = archive.next()) {
                entry(next.get());
            }
        } catch (ImageException e) {
            throw new EngineException("ARCHIVE", "the archive cannot be read: " + e.sentence(), e);
        }
        // those below come first: what is made in a directory changes its time
        directories.forEach(dated -> files.modified(dated.path(), dated.modified()));
        return tally.report();
    }

    private void entry(TarEntry entry) throws IOException {
        String path = inside(entry.name());
        tally.enter(path, 0);
        boolean top = path.equals(directory);
        if (top && entry.kind() == TarEntry.Kind.DIRECTORY) {
            return; // it stays as it is
        }
        if (top) {
            throw refused(entry.name(), "names the directory that it is unpacked into");
        }
        ServedFiles owned = files.owned(tally.options(), entry.uid(), entry.gid(), path);
        Instant modified = Instant.ofEpochSecond(entry.modifiedSeconds(), entry.modifiedNanos());
        switch (entry.kind()) {
            case FILE -> file(owned, entry, path, modified);
            case DIRECTORY -> {
                owned.directory(path, entry.mode() & HostCopy.KEPT_MODE);
                directories.push(new Dated(path, modified));
            }
            case SYMBOLIC_LINK -> {
                above(path);
                owned.link(path, entry.linkTarget());
            }
            case HARD_LINK -> {
                above(path);
                files.hardLink(path, inside(entry.linkTarget()));
            }
            case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> tally.leaveOut();
        }
    }

    private void file(ServedFiles owned, TarEntry entry, String path, Instant modified) throws IOException {
        tally.announce(entry.size(), path);
        above(path);
        var how = new ServedFiles.Put(
                entry.mode() & HostCopy.KEPT_MODE,
                Optional.of(modified),
                FileFlags.MODE | FileFlags.REPLACE,
                count -> tally.add(count, path));
        owned.put(path, sink -> content(entry, sink), how);
    }

    /// Holes are written as zeros: the file service appends.
    private void content(TarEntry entry, ServedFiles.Sink sink) throws IOException {
        var at = new long[1];
        archive.content((bytes, length, position) -> {
            zeros(sink, position - at[0]);
            sink.write(bytes, length);
            at[0] = position + length;
        });
        zeros(sink, entry.size() - at[0]);
    }

    private static void zeros(ServedFiles.Sink sink, long count) {
        byte[] none = new byte[(int) Math.min(FileService.BUFFER_BYTES, Math.max(0, count))];
        for (long left = count; left > 0; left -= none.length) {
            sink.write(none, (int) Math.min(none.length, left));
        }
    }

    private void above(String path) {
        String above = ContainerPath.above(path);
        if (!above.equals("/") && !above.equals(directory)) {
            files.mkdir(above);
        }
    }

    private String inside(String name) {
        var names = new ArrayList<String>();
        for (String part : name.split("/", -1)) {
            if (part.equals("..")) {
                throw refused(name, "leads out of the archive");
            }
            if (!part.isEmpty() && !part.equals(".")) {
                names.add(part);
            }
        }
        return names.isEmpty() ? directory : ContainerPath.below(directory, String.join("/", names));
    }

    private static EngineException refused(String name, String why) {
        return new EngineException(
                "ARCHIVE",
                "the member " + dev.caisson.text.Quoted.of(name) + " of the archive " + why + ": make it without");
    }
}
