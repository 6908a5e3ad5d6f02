package dev.caisson.scan.unpack;

import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// Reads the members of an archive of ar(5).
final class Ar {
    private static final int MAGIC = 8;
    private static final int HEADER = 60;
    private static final int SIZE_AT = 48;
    private static final int NAME = 16;

    private Ar() {}

    static void read(InputStream archive, int mostEntries, Archive.Entries entries) throws IOException {
        archive.skipNBytes(MAGIC);
        var header = new byte[HEADER];
        for (int count = 0; archive.readNBytes(header, 0, HEADER) == HEADER; count++) {
            if (count >= mostEntries) {
                throw new IOException("it has more than " + mostEntries + " files");
            }
            String name = new String(header, 0, NAME, StandardCharsets.ISO_8859_1)
                    .strip()
                    .replaceAll("/$", "");
            String digits = new String(header, SIZE_AT, 10, StandardCharsets.ISO_8859_1).strip();
            if (!digits.matches("[0-9]{1,10}")) {
                throw new IOException("a header of the archive has no valid size");
            }
            long size = Long.parseLong(digits);
            var content = new Content(archive, size);
            entries.entry(name, content);
            archive.skipNBytes(content.left);
            if (size % 2 == 1) {
                archive.read(); // members begin at even places; the last may lack the byte
            }
        }
    }

    private static final class Content extends FilterInputStream {
        private long left;

        Content(InputStream archive, long size) {
            super(archive);
            left = size;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            if (left == 0 || length == 0) {
                return length == 0 ? 0 : -1;
            }
            int count = in.read(bytes, from, (int) Math.min(length, left));
            if (count < 0) {
                throw new EOFException("it ends within a file");
            }
            left -= count;
            return count;
        }

        @Override
        public void close() {
            // the archive belongs to the caller
        }
    }
}
