package dev.caisson.scan;

import dev.caisson.scan.unpack.Archive;
import dev.caisson.scan.unpack.Budget;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/// Reads what is packed in a file, to bounds: eight archives within each other, and 16 MiB and 250 bytes for each byte
/// of the file. gzip, bzip2, xz, zstd, tar, ar and zip, which jars and wheels are too.
public final class PackedFiles {
    /// The bytes of a file by which its kind is known.
    public static final int BEGINNING = 512;

    /// Takes a file that is packed in another one, and is no archive itself.
    @FunctionalInterface
    public interface Taker {
        /// Takes one file.
        ///
        /// @param name of the archives and files that it is in, with `!` between them; empty if none has one
        /// @param content valid during the call
        void take(String name, InputStream content) throws IOException;
    }

    private final Budget budget = new Budget();
    private final Taker taker;
    private Optional<String> unread = Optional.empty();

    private PackedFiles(Taker taker) {
        this.taker = taker;
    }

    /// True if a file that begins with these bytes has others packed in it.
    public static boolean arePacked(byte[] beginning, int length) {
        return Archive.of(beginning, length).isPresent();
    }

    /// Reads a file to its end.
    ///
    /// @return why not all of it was read, as of a file that is damaged or unpacks to too much; empty if all was
    public static Optional<String> read(InputStream file, Taker taker) {
        var files = new PackedFiles(taker);
        try {
            files.read("", files.budget.packed(file));
        } catch (IOException e) {
            files.unread = Optional.of(reason(e));
        }
        return files.unread;
    }

    private static String reason(Exception e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private void read(String name, InputStream in) throws IOException {
        var content = new BufferedInputStream(in, 1 << 16);
        content.mark(BEGINNING);
        byte[] beginning = content.readNBytes(BEGINNING);
        content.reset();
        Optional<Archive> archive = Archive.of(beginning, beginning.length);
        if (archive.isEmpty()) {
            taker.take(name, content);
            return;
        }
        budget.enter();
        try {
            archive.get().read(content, (inner, packed) -> enter(inner.isEmpty() ? name : name + "!" + inner, packed));
        } finally {
            budget.leave();
        }
    }

    /// Reads one file of an archive; one that is damaged does not end the others.
    private void enter(String name, InputStream packed) throws IOException {
        try {
            read(name, budget.unpacked(packed));
        } catch (IOException e) {
            if (Budget.isExceeded(e)) {
                throw e;
            }
            unread = Optional.of(reason(e));
        }
    }
}
