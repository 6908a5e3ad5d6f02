package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.PackedImage.PackedLayer;
import dev.caisson.image.zstd.ZstdException;
import dev.caisson.image.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.zip.GZIPInputStream;

/// The tar archive in a layer: uncompressed as its first bytes demand, bounded, and hashed on both sides of that.
/// Decompression is done here in Java, never by a program of the host or the image (CVE-2019-14271, CVE-2026-41567).
final class LayerStream extends FilterInputStream {
    private static final int BUFFER = 64 * 1024;
    private static final int MAGIC = 6;

    private final FileSlice slice;
    private final InputStream packed;
    private final MessageDigest packedHash = Digest.algorithm();
    private final MessageDigest unpackedHash = Digest.algorithm();
    private final UnpackBudget budget;

    LayerStream(FileSlice slice, UnpackBudget budget) throws IOException {
        super(InputStream.nullInputStream());
        this.slice = slice;
        this.budget = budget;
        this.packed = new BufferedInputStream(new DigestInputStream(slice, packedHash), BUFFER);
        this.in = new DigestInputStream(uncompressed(packed, LayerStream::refuse), unpackedHash);
    }

    /// Opens what is compressed otherwise than layers are.
    interface OtherCompression {
        /// Returns the content.
        /// @param name `xz` or `bzip2`
        InputStream open(String name, InputStream packed) throws IOException;
    }

    /// Returns the content of a stream that may be compressed with gzip or zstd.
    /// @param packed one that can be marked
    static InputStream uncompressed(InputStream packed, OtherCompression other) throws IOException {
        packed.mark(MAGIC);
        byte[] magic = packed.readNBytes(MAGIC);
        packed.reset();
        if (startsWith(magic, 0x1f, 0x8b)) {
            return new GZIPInputStream(packed, BUFFER);
        }
        if (ZstdInputStream.begins(magic)) {
            return new Zstd(packed);
        }
        if (startsWith(magic, 0xfd, '7', 'z', 'X', 'Z', 0)) {
            return other.open("xz", packed);
        }
        if (startsWith(magic, 'B', 'Z', 'h')) {
            return other.open("bzip2", packed);
        }
        return packed;
    }

    /// Reports what the decoder refuses as a fault of the image.
    private static final class Zstd extends FilterInputStream {
        Zstd(InputStream packed) {
            super(new ZstdInputStream(packed));
        }

        @Override
        public int read() throws IOException {
            try {
                return in.read();
            } catch (ZstdException e) {
                throw fault(e);
            }
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            try {
                return in.read(bytes, offset, length);
            } catch (ZstdException e) {
                throw fault(e);
            }
        }

        @Override
        public long skip(long count) throws IOException {
            try {
                return in.skip(count);
            } catch (ZstdException e) {
                throw fault(e);
            }
        }

        private static ImageException fault(ZstdException problem) {
            Code code = switch (problem.reason()) {
                case DAMAGED -> Code.BAD_ARCHIVE;
                case DICTIONARY -> Code.UNSUPPORTED_FORMAT;
                case WINDOW_TOO_LARGE -> Code.TOO_LARGE;
            };
            return new ImageException(code, problem.sentence(), problem);
        }
    }

    private static InputStream refuse(String compression, InputStream packed) {
        throw new ImageException(
                Code.UNSUPPORTED_FORMAT,
                "the image has a layer compressed with " + compression
                        + ", which no image format has; build it again with gzip or zstd");
    }

    private static boolean startsWith(byte[] bytes, int... magic) {
        if (bytes.length < magic.length) {
            return false;
        }
        for (int i = 0; i < magic.length; i++) {
            if ((bytes[i] & 0xff) != magic[i]) {
                return false;
            }
        }
        return true;
    }

    /// Reads what follows the archive and compares the hashes.
    /// @throws ImageException DIGEST_MISMATCH
    void verify(PackedLayer layer) throws IOException {
        transferTo(OutputStream.nullOutputStream());
        packed.transferTo(OutputStream.nullOutputStream());
        compare("the layer", layer.diffId(), Digest.finish(unpackedHash.digest()));
        if (layer.packed().isPresent()) {
            compare("the compressed layer", layer.packed().orElseThrow(), Digest.finish(packedHash.digest()));
        }
    }

    private static void compare(String what, Digest expected, Digest found) {
        if (!expected.equals(found)) {
            throw new ImageException(
                    Code.DIGEST_MISMATCH,
                    what + " " + expected + " of the image is not what its digest says (" + found
                            + "); fetch the image again");
        }
    }

    @Override
    public int read() throws IOException {
        int b = super.read();
        if (b >= 0) {
            budget.unpacked(1);
        }
        return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = super.read(bytes, offset, length);
        if (count > 0) {
            budget.unpacked(count);
        }
        return count;
    }

    @Override
    public long skip(long count) throws IOException {
        throw new IOException("a hashed stream is read, not skipped");
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    @Override
    public void close() throws IOException {
        try (slice) {
            in.close();
        }
    }
}
