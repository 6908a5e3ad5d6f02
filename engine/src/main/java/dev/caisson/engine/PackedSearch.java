package dev.caisson.engine;

import dev.caisson.scan.PackedFiles;
import dev.caisson.secret.ValueForm;
import dev.caisson.secret.ValueMatcher;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Looks for values in what is packed in one file, whose bytes come piece by piece: in a thread of its own, which reads
/// while the caller writes.
final class PackedSearch {
    private static final System.Logger LOG = System.getLogger(PackedSearch.class.getName());
    private static final int PIECE = 1 << 16;

    /// A value that stands in a file that is packed in another one.
    ///
    /// @param value its number, as the matcher has it
    /// @param inner names of the files that it is in, from the outermost archive on
    record Found(int value, ValueForm form, String inner) {}

    /// Ends the reading, as one value is enough.
    private static final class Enough extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient Found found;

        private Enough(Found found) {
            super(null, null, false, false);
            this.found = found;
        }
    }

    private final ValueMatcher matcher;
    private final String file;
    private final PipedOutputStream to = new PipedOutputStream();
    private final PipedInputStream from = new PipedInputStream(PIECE);
    private final Thread reading;
    private volatile Optional<Found> found = Optional.empty();
    private volatile @Nullable Error failed;

    /// @param file its name, for the log
    PackedSearch(ValueMatcher matcher, String file) {
        this.matcher = matcher;
        this.file = file;
        try {
            from.connect(to);
        } catch (IOException e) {
            throw new IllegalStateException("a new pipe is connected already", e);
        }
        reading = Thread.ofPlatform().daemon().name("caisson layer search").start(this::read);
    }

    private void read() {
        try (from) {
            PackedFiles.read(from, this::search)
                    .ifPresent(why -> LOG.log(
                            System.Logger.Level.DEBUG, "not all of " + file + " was looked into for values: " + why));
        } catch (Enough e) {
            found = Optional.of(e.found);
        } catch (IOException | RuntimeException e) { // of a decoder that meets what nobody has packed
            LOG.log(System.Logger.Level.DEBUG, "not all of " + file + " was looked into for values", e);
        } catch (Error e) { // what was not searched for want of memory is not clean
            failed = e;
        }
    }

    private void search(String name, InputStream content) throws IOException {
        byte[] named = name.getBytes(StandardCharsets.UTF_8);
        search("", named, named.length); // a name that has the value is not told
        byte[] all = new byte[PIECE];
        int held = 0;
        for (int count = content.read(all, 0, PIECE); count >= 0; count = content.read(all, held, all.length - held)) {
            int length = held + count;
            int hold = search(name, all, length);
            held = length - hold;
            byte[] next = new byte[held + PIECE];
            System.arraycopy(all, hold, next, 0, held);
            Arrays.fill(all, (byte) 0);
            all = next;
        }
        Arrays.fill(all, (byte) 0);
    }

    private int search(String name, byte[] bytes, int length) {
        return matcher.search(bytes, 0, length, (value, form, start, end) -> {
            throw new Enough(new Found(value, form, name));
        });
    }

    /// Takes the next bytes of the file.
    void take(byte[] bytes, int at, int length) {
        try {
            to.write(bytes, at, length);
            to.flush(); // wakes the other side
        } catch (InterruptedIOException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException("interrupted while " + file + " was looked into for values", e);
        } catch (IOException e) {
            // the other side has found a value, or cannot read on
        }
    }

    /// Takes the end of the file.
    /// @return a value that is in it
    /// @throws Error that ended the reading
    Optional<Found> end() {
        boolean interrupted = false;
        try {
            to.close();
        } catch (IOException e) {
            // the other side is gone
        }
        while (true) {
            try {
                reading.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        Error error = failed;
        if (error != null) {
            throw error;
        }
        return found;
    }
}
