package dev.caisson.scan.unpack;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serial;

/// Bounds what one file may unpack to: a share for each byte of it, however deep the archives in it are.
public final class Budget {
    private static final long FREE = 16L << 20;
    private static final int RATIO = 250;
    private static final int DEEPEST = 8;

    private long packed;
    private long unpacked;
    private int depth;

    /// The file unpacks to too much, and nothing more of it is read.
    static final class Exceeded extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        Exceeded(String message) {
            super(message);
        }
    }

    /// Returns true if a failure ends the whole file and not one archive in it.
    public static boolean isExceeded(IOException failure) {
        return failure instanceof Exceeded;
    }

    /// Counts what is read of the file itself.
    public InputStream packed(InputStream in) {
        return new Counted(in) {
            @Override
            void count(long bytes) {
                packed += bytes;
            }
        };
    }

    /// Counts what is read of a file in an archive.
    public InputStream unpacked(InputStream in) {
        return new Counted(in) {
            @Override
            void count(long bytes) throws IOException {
                unpacked += bytes;
                if (unpacked > FREE + RATIO * packed) {
                    throw new Exceeded("it unpacks to more than " + RATIO + " times its size");
                }
            }
        };
    }

    /// Enters an archive.
    /// @throws IOException if it is in too many others
    public void enter() throws IOException {
        if (depth >= DEEPEST) {
            throw new IOException("it is in more than " + DEEPEST + " archives");
        }
        depth++;
    }

    public void leave() {
        depth--;
    }

    private abstract static class Counted extends FilterInputStream {
        Counted(InputStream in) {
            super(in);
        }

        abstract void count(long bytes) throws IOException;

        @Override
        public int read() throws IOException {
            int read = in.read();
            if (read >= 0) {
                count(1);
            }
            return read;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int read = in.read(bytes, from, length);
            if (read > 0) {
                count(read);
            }
            return read;
        }

        @Override
        public long skip(long bytes) throws IOException {
            long skipped = in.skip(bytes);
            count(skipped);
            return skipped;
        }

        @Override
        public void close() {
            // the stream below belongs to somebody else
        }
    }
}
