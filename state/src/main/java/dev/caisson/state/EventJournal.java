package dev.caisson.state;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The journal of what commands did with containers: lines in two bounded files of the state directory, the older of
/// which is replaced when the newer one is full.
///
/// Writers take turns by a lock; a reader takes none, so it holds up nobody. A writer that is killed may leave a
/// line without its end: the next writer ends it, and readers drop what they cannot read.
public final class EventJournal implements AutoCloseable {
    /// The size of a file in bytes, after which the next one is begun.
    public static final int FILE_BYTES = 256 << 10;
    /// The longest line in bytes, with its end.
    public static final int LINE_BYTES = 16 << 10;

    private static final String NEWER = "events";
    private static final String OLDER = "events.1";
    private static final String LOCK = "events.lock";
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;

    private final Path state;
    private @Nullable Fd open;
    private long read;
    private boolean gap;
    private boolean begun;

    /// Opens it for reading, from its oldest line.
    public EventJournal(Path state) {
        this.state = state;
    }

    /// Appends a line, which is there whole or not at all.
    /// @throws IllegalArgumentException if it has an end of line, or is longer than [#LINE_BYTES]
    public static void append(Path state, String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        if (line.indexOf('\n') >= 0 || bytes.length > LINE_BYTES) {
            throw new IllegalArgumentException("an event is one line of at most " + LINE_BYTES + " bytes");
        }
        try (Fd root = StateRoot.open(state);
                Fd lock = FileSystem.openAt(root, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH)) {
            FileLocks.lock(lock);
            append(root, bytes);
        }
    }

    private static void append(Fd root, byte[] line) {
        try (Fd file = openNewer(root)) {
            long size = FileSystem.status(file).size();
            if (size + line.length + 1 <= FILE_BYTES) {
                write(file, size, line);
                return;
            }
        }
        FileSystem.rename(root, NEWER, root, OLDER, true);
        try (Fd file = openNewer(root)) {
            write(file, 0, line);
        }
    }

    private static Fd openNewer(Fd root) {
        int flags = FileSystem.O_RDWR | FileSystem.O_APPEND | FileSystem.O_CREAT;
        return FileSystem.openAt(root, NEWER, flags, 0600, BENEATH);
    }

    private static void write(Fd file, long size, byte[] line) {
        boolean cut = endsInHalfALine(file, size);
        byte[] whole = cut ? new byte[line.length + 1] : line;
        if (cut) {
            whole[0] = '\n';
            System.arraycopy(line, 0, whole, 1, line.length);
        }
        FileSystem.write(file, whole);
    }

    private static boolean endsInHalfALine(Fd file, long size) {
        var last = new byte[1];
        return size > 0 && FileContent.readAt(file, last, size - 1) == 1 && last[0] != '\n';
    }

    /// Returns the lines that were written since the last call; without their ends.
    public List<String> next() {
        Optional<Fd> root = root();
        if (root.isEmpty()) {
            return List.of();
        }
        var lines = new ArrayList<String>();
        try (Fd directory = root.get()) {
            if (!begun) {
                begun = true;
                open = FileSystem.find(directory, OLDER, FileSystem.O_RDONLY, BENEATH)
                        .orElse(null);
            }
            readRest(lines);
            Optional<Fd> newer = FileSystem.find(directory, NEWER, FileSystem.O_RDONLY, BENEATH);
            if (newer.isPresent() && isOther(newer.get())) {
                readRest(lines); // what came before the file was set aside
                gap |= open != null && !isThere(directory, OLDER);
                close();
                open = newer.get();
                read = 0;
                readRest(lines);
            } else {
                newer.ifPresent(Fd::close);
            }
        }
        return lines;
    }

    private Optional<Fd> root() {
        try (Fd above = FileSystem.open(state.resolveSibling(".").normalize().toString(), DIRECTORY)) {
            return FileSystem.find(above, state.getFileName().toString(), DIRECTORY, BENEATH);
        }
    }

    private boolean isOther(Fd file) {
        Fd before = open;
        return before == null
                || FileSystem.status(before).inode() != FileSystem.status(file).inode();
    }

    private boolean isThere(Fd directory, String name) {
        Optional<Fd> found = FileSystem.find(directory, name, FileSystem.O_PATH, BENEATH);
        return found.isPresent() && !closing(found.get());
    }

    private boolean closing(Fd found) {
        try (Fd file = found) {
            return isOther(file);
        }
    }

    /// Takes whole lines alone: the last one may still be written.
    private void readRest(List<String> lines) {
        Fd file = open;
        if (file == null) {
            return;
        }
        FileStatus status = FileSystem.status(file);
        if (status.size() <= read) {
            return;
        }
        byte[] all = FileSystem.read(file, FILE_BYTES);
        int from = (int) read;
        for (int i = from; i < all.length; i++) {
            if (all[i] == '\n') {
                lines.add(new String(Arrays.copyOfRange(all, from, i), StandardCharsets.UTF_8));
                from = i + 1;
            }
        }
        read = from;
    }

    /// Returns whether lines were replaced before they were read.
    public boolean hasGap() {
        return gap;
    }

    @Override
    public void close() {
        Fd file = open;
        if (file != null) {
            file.close();
        }
        open = null;
    }
}
