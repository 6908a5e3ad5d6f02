package dev.caisson.image;

import dev.caisson.image.bzip2.Bzip2InputStream;
import dev.caisson.image.xz.XzInputStream;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStream;
import dev.caisson.linux.FileSystem;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/// Tar archives that are no layers of an image, compressed with gzip, zstd, xz or bzip2, or not at all. They are
/// unpacked within the bounds of an image, and no name or link in them leads out of the directory.
public final class TarArchive {
    private static final int BUFFER = 128 << 10;

    /// Files that stand where an archive goes, and that its hard links may name.
    @FunctionalInterface
    @SuppressWarnings("exports")
    public interface Below {
        /// Opens a regular file for reading; empty if there is none, or only by way of a link.
        /// @param path below the place where the archive goes
        Optional<Fd> open(String path);
    }

    private TarArchive() {}

    /// Returns whether a file is one, by its first member. A compressed file of anything else is none.
    /// @param file a regular one, which stays the caller's to close
    /// @throws IOException if it is compressed and damaged, so that nobody can tell
    @SuppressWarnings("exports")
    public static boolean isOne(Fd file) throws IOException {
        InputStream content = LayerStream.uncompressed(
                new BufferedInputStream(all(file), BUFFER),
                (compression, from) ->
                        compression.equals("xz") ? XzInputStream.searched(from) : Bzip2InputStream.searched(from));
        byte[] header = content.readNBytes(TarFields.BLOCK);
        if (header.length < TarFields.BLOCK) {
            return false;
        }
        try {
            new TarFields(header).check();
            return true;
        } catch (ImageException e) {
            return false;
        }
    }

    /// Unpacks one.
    ///
    /// @param file a regular one, which stays the caller's to close; a small one may bring little
    /// @param shown what messages call it
    /// @param directory an empty one
    /// @throws ImageException if it is damaged, too large, or tries to leave the directory
    /// @throws IOException if it cannot be read, or what is compressed is damaged
    @SuppressWarnings("exports")
    public static void unpack(Fd file, String shown, Fd directory) throws IOException {
        unpack(file, shown, directory, _ -> Optional.empty());
    }

    /// Like the other, of an archive whose files go over others: a hard link to one of those gets a copy of it.
    @SuppressWarnings("exports")
    public static void unpack(Fd file, String shown, Fd directory, Below below) throws IOException {
        var budget =
                new UnpackBudget(UnpackLimits.DEFAULT, FileSystem.status(file).size());
        var archive = new BoundedArchive(all(file), shown); // has nothing to close
        try (var unpacker = LayerUnpacker.ofArchive(directory, budget, below)) {
            unpacker.apply(new TarReader(archive, UnpackLimits.DEFAULT));
            archive.transferTo(OutputStream.nullOutputStream()); // the last checksum stands at the end
            unpacker.finish();
        }
    }

    private static InputStream all(Fd file) {
        return new FileStream(file, FileSystem.status(file).size());
    }
}
