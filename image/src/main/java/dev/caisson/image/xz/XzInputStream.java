package dev.caisson.image.xz;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/// Decodes what xz(1) has made, stream after stream, in the format of xz-file-format.txt 1.2.1.
public final class XzInputStream extends InputStream {
    private static final int[] MAGIC = {0xfd, '7', 'z', 'X', 'Z', 0};
    private static final int LZMA2 = 0x21;
    private static final int FIRST_MACHINE_FILTER = 4;
    private static final int LAST_MACHINE_FILTER = 0x0b;

    private final InputStream in;
    private final boolean exact;
    private BlockCheck check = BlockCheck.of(0);
    /// Bytes that were read of this block, for its padding.
    private long blockBytes;

    private Lzma2 lzma = new Lzma2(4096);
    private byte[] out = new byte[0];
    private int from;
    private int to;
    private boolean inBlock;
    private boolean ended;

    private XzInputStream(InputStream in, boolean exact) throws IOException {
        this.in = in;
        this.exact = exact;
        header(need());
    }

    /// Decodes data that must be right: its checksums are compared, and filters that are not undone are refused.
    /// @throws IOException if it is no xz data, with a sentence for the user, as each read
    public static XzInputStream exact(InputStream in) throws IOException {
        return new XzInputStream(in, true);
    }

    /// Decodes what can be read of it, to be searched. Checksums are not compared, and filters for machine code are not
    /// undone: they leave text as it is.
    /// @throws IOException if it is no xz data, with a sentence for the user, as each read
    public static XzInputStream searched(InputStream in) throws IOException {
        return new XzInputStream(in, false);
    }

    private int need() throws IOException {
        int next = in.read();
        if (next < 0) {
            throw new EOFException("the xz data is cut off");
        }
        blockBytes++;
        return next;
    }

    private static IOException damaged() {
        return new IOException("the xz data is damaged");
    }

    private void header(int first) throws IOException {
        for (int i = 0; i < MAGIC.length; i++) {
            if ((i == 0 ? first : need()) != MAGIC[i]) {
                throw damaged();
            }
        }
        if (need() != 0) {
            throw damaged();
        }
        check = BlockCheck.of(need() & 15);
        skip(4);
    }

    private void skip(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            need();
        }
    }

    private static long number(Lzma2.Source from) throws IOException {
        long value = 0;
        for (int shift = 0; shift < 63; shift += 7) {
            int next = from.next();
            if (next < 0) {
                throw damaged();
            }
            value |= (long) (next & 0x7f) << shift;
            if ((next & 0x80) == 0) {
                return value;
            }
        }
        throw damaged();
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int at, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (from == to) {
            if (ended || !more()) {
                return -1;
            }
        }
        int count = Math.min(length, to - from);
        System.arraycopy(out, from, bytes, at, count);
        from += count;
        return count;
    }

    /// Decodes the next chunk.
    private boolean more() throws IOException {
        while (!inBlock) {
            blockBytes = 0;
            int size = need();
            if (size == 0) {
                index();
                if (ended) {
                    return false;
                }
            } else {
                block(size);
            }
        }
        out = lzma.chunk(this::need);
        from = 0;
        to = out.length;
        if (to == 0) {
            inBlock = false;
            skip((int) (-blockBytes & 3));
            compare();
        } else if (exact) {
            check.add(out);
        }
        return true;
    }

    private void compare() throws IOException {
        byte[] stored = new byte[check.bytes()];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = (byte) need();
        }
        if (exact && !check.endsWith(stored)) {
            throw damaged();
        }
    }

    private void block(int size) throws IOException {
        byte[] rest = new byte[(size + 1) * 4 - 1];
        for (int i = 0; i < rest.length; i++) {
            rest[i] = (byte) need();
        }
        var fields = new ByteArrayInputStream(rest, 0, rest.length - 4);
        int flags = fields.read();
        if ((flags & 0x40) != 0) {
            number(fields::read);
        }
        if ((flags & 0x80) != 0) {
            number(fields::read);
        }
        for (int filter = 0; filter <= (flags & 3); filter++) {
            long id = number(fields::read);
            byte[] properties = fields.readNBytes((int) Math.min(rest.length, number(fields::read)));
            if (id == LZMA2 && filter == (flags & 3) && properties.length == 1) {
                lzma = new Lzma2(dictionary(properties[0] & 0xff));
            } else if (exact || filter == (flags & 3) || id < FIRST_MACHINE_FILTER || id > LAST_MACHINE_FILTER) {
                throw new IOException("the xz data has a filter that is not undone here");
            }
        }
        inBlock = true;
    }

    private static long dictionary(int code) throws IOException {
        if (code > 40) {
            throw damaged();
        }
        return code == 40 ? 0xffffffffL : (2L | (code & 1)) << (code / 2 + 11);
    }

    /// Reads past the index and the end of a stream, to the next one if there is one.
    private void index() throws IOException {
        long records = number(this::need);
        for (long i = 0; i < records; i++) {
            number(this::need);
            number(this::need);
        }
        skip((int) (-blockBytes & 3));
        skip(4 + 12);
        int next = in.read();
        while (next == 0) {
            next = in.read();
        }
        ended = next < 0;
        if (!ended) {
            header(next);
        }
    }
}
