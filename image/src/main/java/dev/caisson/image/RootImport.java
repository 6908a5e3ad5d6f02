package dev.caisson.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/// A tar archive of a root file system as a layer. It is read as an archive while it is copied, so that what is
/// none, or is cut off, becomes no image.
final class RootImport implements NewLayer.Content {
    private static final int BUFFER = 128 << 10;

    private final InputStream archive;
    private final String shown;

    /// @param shown what messages call the archive
    RootImport(InputStream archive, String shown) {
        this.archive = archive;
        this.shown = shown;
    }

    @Override
    public void writeTo(OutputStream tar) throws IOException {
        var copied = new CopiedStream(new BoundedArchive(archive, shown), tar);
        var reader = new TarReader(copied, UnpackLimits.DEFAULT);
        boolean isEmpty = true;
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            isEmpty = false;
        }
        if (isEmpty && copied.count == 0) {
            throw new ImageException(
                    ImageException.Code.BAD_ARCHIVE, shown + " is empty; give a tar archive of a root file system");
        }
        var buffer = new byte[BUFFER];
        while (copied.read(buffer, 0, buffer.length) >= 0) {
            // what tar adds to fill its last block
        }
    }

    /// Writes all that is read of it.
    private static final class CopiedStream extends InputStream {
        private final InputStream in;
        private final OutputStream to;
        private long count;

        CopiedStream(InputStream in, OutputStream to) {
            this.in = in;
            this.to = to;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int got = in.read(bytes, offset, length);
            if (got > 0) {
                to.write(bytes, offset, got);
                count += got;
            }
            return got;
        }
    }
}
