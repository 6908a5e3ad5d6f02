package dev.caisson.linux;

import java.io.IOException;
import java.io.InputStream;

/// Reads an open file from its start, whatever its own position. The file stays the caller's to close.
public final class FileStream extends InputStream {
    private static final int PIECE = 256 * 1024;

    private final Fd file;
    private final long size;
    private long position;

    /// @param size a hint, for the pieces that are read; the file is read to its end
    public FileStream(Fd file, long size) {
        this.file = file;
        this.size = size;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        long expected = Math.max(1, size - position);
        byte[] piece = new byte[(int) Math.min(Math.min(length, PIECE), expected)];
        try {
            int count = FileContent.readAt(file, piece, position);
            if (count <= 0) {
                return -1;
            }
            System.arraycopy(piece, 0, bytes, from, count);
            position += count;
            return count;
        } catch (ErrnoException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}
