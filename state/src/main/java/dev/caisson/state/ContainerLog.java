package dev.caisson.state;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.Redaction;
import dev.caisson.state.LogEntry.Stream;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Writes what a container says to files of Docker's json-file format: an object a line, a line of output
/// each, longer ones in parts. A file has no more than so many bytes: then it becomes `NAME.1`, what was
/// that `NAME.2`, and the oldest goes. A log that cannot be written ends, with the reason, and the
/// container goes on.
public final class ContainerLog implements AutoCloseable {
    public static final int FILES = 3;
    public static final long FILE_BYTES = 10L << 20;
    /// Longer lines are parted, as Docker does it.
    static final int LONGEST_PART = 16 * 1024;

    private static final JsonStream JSON = JsonStream.builder().build();
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSSX", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    /// The part of an unfinished line that has come.
    private static final class Part {
        private final byte[] bytes = new byte[LONGEST_PART];
        private int count;
    }

    private final Fd directory;
    private final String name;
    private final long most;
    private final int files;
    private final Map<Stream, Part> parts = new EnumMap<>(Stream.class);
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();
    private @Nullable Fd file;
    private long size;
    private Optional<String> failure = Optional.empty();
    private @Nullable Redaction redaction;
    private final Map<Stream, Redaction.Stream> redacted = new EnumMap<>(Stream.class);
    private boolean ended;

    /// @param directory open as long as this is
    /// @param most bytes of one file
    ContainerLog(Fd directory, String name, long most, int files) {
        this.directory = directory;
        this.name = name;
        this.most = most;
        this.files = files;
        this.file = create();
    }

    /// The name of the file that is so many files older than the first.
    static String name(String name, int age) {
        return age == 0 ? name : name + "." + age;
    }

    /// Takes values of secrets out of what is written from now on, in place of those of before.
    /// @param wanted closed by [#end()]
    synchronized void redact(Redaction wanted) {
        if (ended) {
            wanted.close();
            return;
        }
        Redaction former = redaction;
        redaction = wanted;
        redacted.replaceAll((_, stream) -> wanted.goOn(stream));
        if (former != null) {
            former.close();
        }
    }

    /// Takes what was read from a stream.
    public synchronized void write(Stream stream, byte[] chunk, int length) {
        Redaction taken = redaction;
        if (ended) {
            return;
        }
        if (taken == null) {
            add(stream, chunk, 0, length);
        } else {
            try {
                redacted.computeIfAbsent(stream, _ -> taken.stream())
                        .take(chunk, length, (bytes, from, count) -> add(stream, bytes, from, count));
            } catch (IOException e) {
                throw new UncheckedIOException(e); // a log throws none
            }
        }
        flush();
    }

    private void add(Stream stream, byte[] chunk, int from, int length) {
        Part part = parts.computeIfAbsent(stream, _ -> new Part());
        String time = TIME.format(Instant.now());
        for (int i = from; i < from + length; i++) {
            part.bytes[part.count++] = chunk[i];
            if (chunk[i] == '\n') {
                add(stream, part, part.count, time);
            } else if (part.count == LONGEST_PART) {
                add(stream, part, wholeCharacters(part), time);
            }
        }
    }

    /// Takes the end of both streams, with what has come of their last lines; nothing is written any more.
    synchronized void end() {
        for (Stream stream : Stream.values()) {
            Redaction.Stream held = redacted.remove(stream);
            if (held != null) {
                try {
                    held.end((bytes, from, count) -> add(stream, bytes, from, count));
                } catch (IOException e) {
                    throw new UncheckedIOException(e); // a log throws none
                }
            }
            end(stream);
        }
        discard();
    }

    /// Closes it without what has come of the last lines.
    synchronized void discard() {
        ended = true;
        Redaction taken = redaction;
        if (taken != null) {
            redaction = null;
            taken.close();
        }
        close();
    }

    private void end(Stream stream) {
        Part part = parts.remove(stream);
        if (part != null && part.count > 0) {
            add(stream, part, part.count, TIME.format(Instant.now()));
            flush();
        }
    }

    /// How many of the bytes end with a whole character, where the last is one of UTF-8.
    private static int wholeCharacters(Part part) {
        int end = part.count;
        for (int back = 1; back <= 3; back++) {
            int last = part.bytes[part.count - back] & 0xff;
            if (last >= 0xc0) { // begins a character of two bytes or more
                int needs = last >= 0xf0 ? 4 : last >= 0xe0 ? 3 : 2;
                return needs > back ? end - back : end;
            }
            if (last < 0x80) {
                return end;
            }
        }
        return end;
    }

    private void add(Stream stream, Part part, int length, String time) {
        int before = batch.size();
        try (JsonWriter out = JSON.writer(batch)) {
            out.beginObject();
            out.name("log");
            out.value(new String(part.bytes, 0, length, StandardCharsets.UTF_8));
            out.name("stream");
            out.value(stream.label());
            out.name("time");
            out.value(time);
            out.endObject();
            out.writeNewLine();
        }
        System.arraycopy(part.bytes, length, part.bytes, 0, part.count - length);
        part.count -= length;
        if (size + batch.size() > most && size + before > 0) {
            turnOver(before);
        }
    }

    /// Begins a file with what stands in the batch from `at` on.
    private void turnOver(int at) {
        byte[] all = batch.toByteArray();
        batch.reset();
        batch.write(all, 0, at);
        flush();
        batch.reset();
        batch.write(all, at, all.length - at);
        whileItCanBeWritten(() -> {
            close();
            for (int age = files - 1; age > 0; age--) {
                if (exists(name(name, age - 1))) {
                    FileSystem.rename(directory, name(name, age - 1), directory, name(name, age), true);
                }
            }
            file = create();
            size = 0;
        });
    }

    private boolean exists(String candidate) {
        Optional<Fd> found = FileSystem.find(directory, candidate, FileSystem.O_PATH, BENEATH);
        found.ifPresent(Fd::close);
        return found.isPresent();
    }

    private Fd create() {
        return FileSystem.openAt(
                directory, name, FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL, 0600, BENEATH);
    }

    private void flush() {
        whileItCanBeWritten(() -> {
            Fd open = file;
            if (open != null && batch.size() > 0) {
                FileContent.writeAt(open, batch.toByteArray(), 0, batch.size(), size);
                size += batch.size();
            }
        });
        batch.reset();
    }

    private void whileItCanBeWritten(Runnable act) {
        if (failure.isPresent()) {
            return;
        }
        try {
            act.run();
        } catch (ErrnoException e) {
            failure = Optional.of(e.call() + ": " + Errno.name(e.errno()));
        }
    }

    /// Returns why the log ends early; empty if it does not.
    public synchronized Optional<String> failure() {
        return failure;
    }

    @Override
    public synchronized void close() {
        Fd open = file;
        file = null;
        if (open != null) {
            open.close();
        }
    }
}
