package dev.caisson.scan.unpack;

import dev.caisson.image.bzip2.Bzip2InputStream;
import dev.caisson.image.xz.XzInputStream;
import dev.caisson.image.zstd.ZstdException;
import dev.caisson.image.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
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
    BZIP2,
    XZ,
    ZSTD,
    /// Packages of Debian are such ones, and libraries of C.
    AR,
    SEVEN_ZIP,
    RAR;

    private static final int MOST_ENTRIES = 200_000;
    private static final int TAR_MAGIC = 257;
    private static final int PIECE = 64 * 1024;

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
        if (starts(start, length, 0, 0xfd, '7', 'z', 'X', 'Z', 0)) {
            return Optional.of(XZ);
        }
        if (starts(start, length, 0, 'B', 'Z', 'h') && starts(start, length, 4, 0x31, 0x41, 0x59, 0x26)) {
            return Optional.of(BZIP2);
        }
        if (starts(start, length, 0, 0x28, 0xb5, 0x2f, 0xfd)) {
            return Optional.of(ZSTD);
        }
        if (starts(start, length, 0, '!', '<', 'a', 'r', 'c', 'h', '>', '\n')) {
            return Optional.of(AR);
        }
        if (starts(start, length, 0, '7', 'z', 0xbc, 0xaf, 0x27, 0x1c)) {
            return Optional.of(SEVEN_ZIP);
        }
        return starts(start, length, 0, 'R', 'a', 'r', '!', 0x1a, 7) ? Optional.of(RAR) : Optional.empty();
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
            case GZIP -> entries.entry("", new GZIPInputStream(archive, PIECE));
            case BZIP2 -> entries.entry("", Bzip2InputStream.searched(new BufferedInputStream(archive, PIECE)));
            case XZ -> entries.entry("", XzInputStream.searched(new BufferedInputStream(archive, PIECE)));
            case ZSTD -> zstd(new BufferedInputStream(archive, PIECE), entries);
            case AR -> Ar.read(archive, MOST_ENTRIES, entries);
            case SEVEN_ZIP ->
                throw new IOException("it is a 7z archive, which is not looked into: unpack it and scan the directory");
            case RAR ->
                throw new IOException(
                        "it is a rar archive, which is not looked into: unpack it and scan the directory");
        }
    }

    private static void zstd(InputStream archive, Entries entries) throws IOException {
        try {
            entries.entry("", new ZstdInputStream(archive));
        } catch (ZstdException e) {
            throw new IOException(e.sentence(), e);
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
