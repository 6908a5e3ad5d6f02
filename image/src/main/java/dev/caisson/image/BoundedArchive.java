package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.bzip2.Bzip2InputStream;
import dev.caisson.image.xz.XzInputStream;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// The tar archive in a stream that may be compressed with gzip, zstd, xz or bzip2, bounded: what comes out
/// of a compressed one is in proportion to what goes in.
final class BoundedArchive extends FilterInputStream {
    private static final int BUFFER = 128 << 10;
    /// As an image may have in a registry.
    private static final long MOST = 256L << 30;

    private final PositionedStream packed;
    private final String shown;
    private long unpacked;

    /// @param shown what messages call it
    BoundedArchive(InputStream in, String shown) throws IOException {
        super(InputStream.nullInputStream());
        this.shown = shown;
        this.packed = new PositionedStream(in);
        this.in = LayerStream.uncompressed(
                new BufferedInputStream(packed, BUFFER),
                (compression, from) ->
                        compression.equals("xz") ? XzInputStream.exact(from) : Bzip2InputStream.exact(from));
    }

    private void count(int count) {
        unpacked += count;
        UnpackLimits limits = UnpackLimits.DEFAULT;
        if (unpacked > MOST) {
            throw new ImageException(Code.TOO_LARGE, shown + " has more than 256 GiB");
        }
        if (unpacked > limits.ratioGrace() && unpacked / limits.ratio() > packed.position()) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    shown + " grows more than " + limits.ratio()
                            + " times when uncompressed; uncompress it by hand if it is to be trusted");
        }
    }

    @Override
    public int read() throws IOException {
        int b = in.read();
        count(b < 0 ? 0 : 1);
        return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = in.read(bytes, offset, length);
        count(Math.max(0, count));
        return count;
    }

    @Override
    public long skip(long count) throws IOException {
        long skipped = 0;
        while (skipped < count && read() >= 0) {
            skipped++;
        }
        return skipped;
    }

    @Override
    public boolean markSupported() {
        return false;
    }
}
