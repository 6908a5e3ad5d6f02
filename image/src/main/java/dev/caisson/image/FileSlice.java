package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/// A part of an open file as a stream. What it has left is its [#available], which concatenated gzip members need.
final class FileSlice extends InputStream {
    private final FileChannel channel;
    private final boolean owned;
    private final long size;
    private final long start;
    private long done;

    private FileSlice(FileChannel channel, boolean owned, long start, long size) {
        this.channel = channel;
        this.owned = owned;
        this.start = start;
        this.size = size;
    }

    /// A whole file, closed with the stream.
    static FileSlice whole(FileChannel channel, long size) {
        return new FileSlice(channel, true, 0, size);
    }

    /// A part of a file, which stays open.
    static FileSlice part(FileChannel channel, long start, long size) {
        return new FileSlice(channel, false, start, size);
    }

    long size() {
        return size;
    }

    /// How much was read.
    long done() {
        return done;
    }

    /// All of it, for a document.
    byte[] readDocument(String what, int limit) throws IOException {
        if (size > limit) {
            throw new ImageException(
                    Code.TOO_LARGE, what + " of the image has " + size + " bytes; at most " + limit + " are read");
        }
        return readNBytes((int) size);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (done == size) {
            return -1;
        }
        int count = channel.read(ByteBuffer.wrap(bytes, offset, (int) Math.min(length, size - done)), start + done);
        if (count < 0) {
            throw new EOFException("the file became shorter while it was read");
        }
        done += count;
        return count;
    }

    @Override
    public int available() {
        return (int) Math.min(Integer.MAX_VALUE, size - done);
    }

    @Override
    public void close() throws IOException {
        if (owned) {
            channel.close();
        }
    }
}
