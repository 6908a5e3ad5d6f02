package dev.caisson.image;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Writes a blob whose digest is known at its end, under a name of its own until then. The caller keeps the store's
/// blobs meanwhile; closed before [#finish], nothing is left.
final class BlobWriter extends OutputStream {
    private static final int BUFFER = 128 << 10;

    private final Fd blobs;
    private final String partial;
    private final Fd file;
    private final MessageDigest hash = Digest.algorithm();
    private final byte[] buffer = new byte[BUFFER];
    private int filled;
    private long written;
    private boolean renamed;

    BlobWriter(Fd blobs) {
        this.blobs = blobs;
        this.partial = "new-" + HexFormat.of().formatHex(KernelRandom.bytes(16)) + ".partial";
        int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
        this.file = FileSystem.openAt(blobs, partial, flags, 0600, FileSystem.RESOLVE_NO_SYMLINKS);
    }

    @Override
    public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        for (int done = 0; done < length; ) {
            int part = Math.min(length - done, buffer.length - filled);
            System.arraycopy(bytes, offset + done, buffer, filled, part);
            filled += part;
            done += part;
            if (filled == buffer.length) {
                drain();
            }
        }
    }

    private void drain() {
        hash.update(buffer, 0, filled);
        FileContent.writeAt(file, buffer, 0, filled, written);
        written += filled;
        filled = 0;
    }

    /// Gives the blob its name.
    Descriptor finish(String mediaType) {
        drain();
        Digest digest = Digest.finish(hash.digest());
        FileSystem.synchronize(file);
        FileSystem.rename(blobs, partial, blobs, digest.hex(), true);
        renamed = true;
        FileSystem.synchronize(blobs);
        return new Descriptor(mediaType, digest, written, Optional.empty(), Map.of());
    }

    @Override
    public void close() {
        file.close();
        if (!renamed) {
            try {
                FileSystem.removeFile(blobs, partial);
            } catch (ErrnoException e) {
                if (!e.is(Errno.ENOENT)) {
                    throw e;
                }
            }
        }
    }
}
