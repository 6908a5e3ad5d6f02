package dev.caisson.scan.unpack;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Reads the regular files of a tar archive, tar(5): ustar, with long names of GNU and of pax.
final class Tar {
    private static final int BLOCK = 512;
    private static final int MOST_NAME = 64 * 1024;

    private Tar() {}

    static void read(InputStream archive, int mostEntries, Archive.Entries entries) throws IOException {
        var header = new byte[BLOCK];
        Optional<String> longName = Optional.empty();
        for (int count = 0; archive.readNBytes(header, 0, BLOCK) == BLOCK && header[0] != 0; count++) {
            if (count >= mostEntries) {
                throw new IOException("it has more than " + mostEntries + " files");
            }
            long size = number(header, 124, 12);
            var content = new Content(archive, size);
            char type = (char) header[156];
            if (type == 'L' || type == 'x') {
                String text = new String(content.readNBytes(MOST_NAME), StandardCharsets.UTF_8);
                longName = type == 'L'
                        ? Optional.of(text.replace("\0", ""))
                        : paxPath(text).or(() -> Optional.empty());
            } else {
                if (type == '0' || type == 0 || type == '7') {
                    entries.entry(longName.orElseGet(() -> name(header)), content);
                }
                longName = Optional.empty();
            }
            content.skipRest();
            archive.skipNBytes((BLOCK - size % BLOCK) % BLOCK);
        }
    }

    private static String name(byte[] header) {
        String prefix = text(header, 345, 155);
        return prefix.isEmpty() ? text(header, 0, 100) : prefix + "/" + text(header, 0, 100);
    }

    private static Optional<String> paxPath(String records) {
        return records.lines()
                .filter(line -> line.contains(" path="))
                .map(line -> line.substring(line.indexOf(" path=") + " path=".length()))
                .findFirst();
    }

    private static String text(byte[] header, int from, int length) {
        int end = from;
        while (end < from + length && header[end] != 0) {
            end++;
        }
        return new String(header, from, end - from, StandardCharsets.UTF_8);
    }

    private static long number(byte[] header, int from, int length) throws IOException {
        if ((header[from] & 0x80) != 0) {
            long value = 0;
            for (int at = from + length - 8; at < from + length; at++) {
                value = value << 8 | (header[at] & 0xff);
            }
            if (value >= 0) {
                return value;
            }
        }
        try {
            String digits = text(header, from, length).strip();
            return digits.isEmpty() ? 0 : Long.parseLong(digits, 8);
        } catch (NumberFormatException e) {
            throw new IOException("a header of the archive has no valid size", e);
        }
    }

    /// The bytes of one file.
    private static final class Content extends InputStream {
        private final InputStream archive;
        private long left;

        Content(InputStream archive, long size) throws IOException {
            if (size < 0) {
                throw new IOException("a header of the archive has no valid size");
            }
            this.archive = archive;
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
            int count = archive.read(bytes, from, (int) Math.min(length, left));
            if (count < 0) {
                throw new EOFException("it ends within a file");
            }
            left -= count;
            return count;
        }

        void skipRest() throws IOException {
            archive.skipNBytes(left);
            left = 0;
        }
    }
}
