package dev.caisson.scan.unpack;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/// Kinds of files that hold other files, known by their first bytes.
public enum Archive {
    /// Also jars, wheels, and documents of office programs.
    ZIP,
    TAR,
    GZIP,
    /// Compressed in a way that the JDK cannot read.
    CLOSED;

    private static final int MOST_ENTRIES = 200_000;
    private static final int TAR_MAGIC = 257;

    /// Takes one file of an archive. The stream is valid during the call.
    @FunctionalInterface
    public interface Entries {
        void entry(String name, InputStream content) throws IOException;
    }

    /// Returns the kind of a file that starts with these bytes.
    public static Optional<Archive> of(byte[] start, int length) {
        if (starts(start, length, 0, 'P', 'K', 3, 4)) {
            return Optional.of(ZIP);
        }
        if (starts(start, length, 0, 0x1f, 0x8b, 8)) {
            return Optional.of(GZIP);
        }
        if (starts(start, length, TAR_MAGIC, 'u', 's', 't', 'a', 'r')) {
            return Optional.of(TAR);
        }
        boolean closed = starts(start, length, 0, 0xfd, '7', 'z', 'X', 'Z', 0)
                || starts(start, length, 0, '7', 'z', 0xbc, 0xaf)
                || starts(start, length, 0, 0x28, 0xb5, 0x2f, 0xfd)
                || (starts(start, length, 0, 'B', 'Z', 'h') && starts(start, length, 4, 0x31, 0x41, 0x59, 0x26))
                || starts(start, length, 0, 'R', 'a', 'r', '!', 0x1a, 7);
        return closed ? Optional.of(CLOSED) : Optional.empty();
    }

    private static boolean starts(byte[] bytes, int length, int from, int... magic) {
        if (length < from + magic.length) {
            return false;
        }
        for (int i = 0; i < magic.length; i++) {
            if (bytes[from + i] != (byte) magic[i]) {
                return false;
            }
        }
        return true;
    }

    /// Reads an archive to its end.
    /// @throws IOException if it is damaged, or has too many files
    public void read(InputStream archive, Entries entries) throws IOException {
        switch (this) {
            case ZIP -> zip(archive, entries);
            case TAR -> Tar.read(archive, MOST_ENTRIES, entries);
            case GZIP -> entries.entry("", new GZIPInputStream(archive, 64 * 1024));
            case CLOSED -> throw new IOException("it is compressed in a way that is not looked into");
        }
    }

    private static void zip(InputStream archive, Entries entries) throws IOException {
        var zip = new ZipInputStream(archive);
        int count = 0;
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            if (++count > MOST_ENTRIES) {
                throw new IOException("it has more than " + MOST_ENTRIES + " files");
            }
            if (!entry.isDirectory()) {
                entries.entry(entry.getName(), zip);
            }
        }
    }
}
