package dev.caisson.state;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.state.LogEntry.Stream;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.io.ByteArrayOutputStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Reads the log of a container, from its oldest file on, while another process may write it and turn its files over. A
/// file is known by its inode: none is used again while it is open here.
public final class LogReader implements AutoCloseable {
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int CHUNK = 64 * 1024;
    /// A part of a line in which every byte is written as six.
    private static final int LONGEST_ENTRY = 8 * ContainerLog.LONGEST_PART;

    private static final Json.Limits LIMITS = new Json.Limits(LONGEST_ENTRY, 8, 1_000);

    private final Fd directory;
    private final String name;
    private final int most;
    private final byte[] chunk = new byte[CHUNK];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private @Nullable Fd file;
    private long position;
    private long unreadable;
    private boolean hasGap;

    /// @param directory closed with this
    /// @param most files that there may be
    public LogReader(Fd directory, String name, int most, OptionalLong last) {
        this.directory = directory;
        this.name = name;
        this.most = most;
        List<Fd> files = open();
        try {
            begin(files, last);
        } finally {
            files.stream().filter(open -> open != file).forEach(Fd::close);
        }
    }

    /// All files, the newest first. Opened anew where they were turned over meanwhile.
    private List<Fd> open() {
        while (true) {
            var files = new ArrayList<Fd>();
            for (int age = 0; age < most; age++) {
                find(age).ifPresent(files::add);
            }
            if (isNewest(files)) {
                return files;
            }
            files.forEach(Fd::close);
        }
    }

    /// True if the first file is the newest. Without one, the files are being rotated, or the writer was killed
    /// meanwhile.
    private boolean isNewest(List<Fd> files) {
        Optional<Fd> found = find(0);
        if (found.isEmpty()) {
            return true;
        }
        try (Fd newest = found.get()) {
            return !files.isEmpty() && isSame(files.getFirst(), newest);
        }
    }

    private Optional<Fd> find(int age) {
        return FileSystem.find(directory, ContainerLog.name(name, age), FileSystem.O_RDONLY, BENEATH);
    }

    private static boolean isSame(Fd one, Fd other) {
        return FileSystem.status(one).inode() == FileSystem.status(other).inode();
    }

    private void begin(List<Fd> files, OptionalLong last) {
        long wanted = last.orElse(Long.MAX_VALUE);
        for (Fd candidate : files) {
            file = candidate;
            long entries = entries(candidate);
            position = entries > wanted ? afterEntry(candidate, entries - wanted) : 0;
            wanted -= Math.min(wanted, entries);
            if (wanted == 0) {
                return;
            }
        }
    }

    /// Whole ones, as each ends with the only newline that is in it.
    private long entries(Fd in) {
        long entries = 0;
        int count;
        for (long at = 0; (count = FileContent.readAt(in, chunk, at)) > 0; at += count) {
            for (int i = 0; i < count; i++) {
                entries += chunk[i] == '\n' ? 1 : 0;
            }
        }
        return entries;
    }

    private long afterEntry(Fd in, long number) {
        long left = number;
        int count;
        for (long at = 0; (count = FileContent.readAt(in, chunk, at)) > 0; at += count) {
            for (int i = 0; i < count; i++) {
                if (chunk[i] == '\n' && --left == 0) {
                    return at + i + 1;
                }
            }
        }
        return 0;
    }

    /// Returns some of the next entries; none if everything was read.
    public List<LogEntry> next() {
        var entries = new ArrayList<LogEntry>();
        while (entries.isEmpty()) {
            Fd open = file;
            int count = open == null ? 0 : FileContent.readAt(open, chunk, position);
            if (count > 0) {
                position += count;
                take(count, entries);
            } else if (!turn()) {
                break;
            }
        }
        return entries;
    }

    /// Goes on to the file that followed.
    /// @return whether there is more to read
    private boolean turn() {
        List<Fd> files = open();
        Fd read = file;
        try {
            int at = 0;
            while (read != null && at < files.size() && !isSame(read, files.get(at))) {
                at++;
            }
            if (read != null && at == 0) {
                return false;
            }
            if (read != null && FileContent.readAt(read, chunk, position) > 0) {
                return true; // written after it was read and before it was turned over
            }
            hasGap |= read != null && at == files.size();
            if (files.isEmpty()) {
                return false;
            }
            file = files.get(read == null ? files.size() - 1 : at - 1);
            position = 0;
            line.reset();
            if (read != null) {
                read.close();
            }
            return true;
        } finally {
            files.stream().filter(open -> open != file).forEach(Fd::close);
        }
    }

    private void take(int count, List<LogEntry> entries) {
        int start = 0;
        for (int i = 0; i < count; i++) {
            if (chunk[i] == '\n') {
                line.write(chunk, start, i - start);
                entry().ifPresentOrElse(entries::add, () -> unreadable++);
                line.reset();
                start = i + 1;
            }
        }
        // No more is kept of a line than one can have that was written here.
        line.write(chunk, start, Math.min(count - start, Math.max(0, LONGEST_ENTRY - line.size())));
    }

    private Optional<LogEntry> entry() {
        try {
            return Json.parse(line.toByteArray(), LIMITS) instanceof Map<?, ?> fields
                    ? Optional.of(new LogEntry(
                            Stream.valueOf(KeptFile.text(fields, "stream").toUpperCase(Locale.ROOT)),
                            Instant.parse(KeptFile.text(fields, "time")),
                            KeptFile.text(fields, "log")))
                    : Optional.empty();
        } catch (MalformedJsonException | IllegalArgumentException | ClassCastException | DateTimeException e) {
            return Optional.empty();
        }
    }

    /// How many lines of its files are none of a log.
    public long unreadable() {
        return unreadable;
    }

    /// True if it was written faster than it was read here, so that a file went unread.
    public boolean hasGap() {
        return hasGap;
    }

    @Override
    public void close() {
        Fd open = file;
        if (open != null) {
            open.close();
        }
        directory.close();
    }
}
