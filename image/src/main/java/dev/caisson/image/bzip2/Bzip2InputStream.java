package dev.caisson.image.bzip2;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/// Decodes what bzip2(1) has made, stream after stream.
public final class Bzip2InputStream extends InputStream {
    private static final long BLOCK = 0x314159265359L;
    private static final long END = 0x177245385090L;
    private static final int LEVEL_BYTES = 100_000;
    private static final int MOST_SYMBOLS = 258;
    private static final int MOST_LENGTH = 20;
    private static final int MOST_SELECTORS = 18_002;
    private static final int GROUP = 50;

    private static final int POLYNOMIAL = 0x04c11db7;
    private static final int[] SUMS = new int[256];

    private final InputStream in;
    private final boolean exact;
    private int bits;
    private int bitCount;
    private int[] links = new int[0];
    private int most;
    /// Bytes of the block that were not yet given out, and where the next one is.
    private int left;

    private int at;
    private int before = -1;
    private int same;
    private int repeat;
    private boolean ended;
    /// The checksum of the block, so far and as it must be.
    private int sum = -1;

    private int stored;

    static {
        for (int i = 0; i < SUMS.length; i++) {
            int value = i << 24;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                value = value < 0 ? value << 1 ^ POLYNOMIAL : value << 1;
            }
            SUMS[i] = value;
        }
    }

    private Bzip2InputStream(InputStream in, boolean exact) throws IOException {
        this.in = in;
        this.exact = exact;
        header(in.read());
    }

    /// Decodes data that must be right: the checksum of each block is compared.
    /// @throws IOException if it is no bzip2 data, with a sentence for the user, as each read
    public static Bzip2InputStream exact(InputStream in) throws IOException {
        return new Bzip2InputStream(in, true);
    }

    /// Decodes what can be read of it, to be searched: checksums are not compared.
    /// @throws IOException if it is no bzip2 data, with a sentence for the user, as each read
    public static Bzip2InputStream searched(InputStream in) throws IOException {
        return new Bzip2InputStream(in, false);
    }

    private void header(int first) throws IOException {
        if (first != 'B' || in.read() != 'Z' || in.read() != 'h') {
            throw damaged();
        }
        int level = in.read() - '0';
        if (level < 1 || level > 9) {
            throw damaged();
        }
        most = level * LEVEL_BYTES;
    }

    private static IOException damaged() {
        return new IOException("the bzip2 data is damaged");
    }

    private int bits(int count) throws IOException {
        int value = 0;
        for (int i = 0; i < count; i++) {
            if (bitCount == 0) {
                bits = in.read();
                if (bits < 0) {
                    throw new EOFException("the bzip2 data is cut off");
                }
                bitCount = 8;
            }
            value = value << 1 | (bits >> --bitCount & 1);
        }
        return value;
    }

    @Override
    public int read() throws IOException {
        int next = decoded();
        if (exact && next >= 0) {
            sum = sum << 8 ^ SUMS[sum >>> 24 ^ next];
        }
        return next;
    }

    private int decoded() throws IOException {
        while (true) {
            if (repeat > 0) {
                repeat--;
                return before;
            }
            if (left == 0 && !nextBlock()) {
                return -1;
            }
            int next = nextByte();
            if (next == before) {
                same++;
            } else {
                same = 1;
                before = next;
            }
            if (same < 4) {
                return next;
            }
            same = 0;
            repeat = left > 0 ? nextByte() : 0;
            return next;
        }
    }

    private int nextByte() {
        int entry = links[at];
        at = entry >>> 8;
        left--;
        return entry & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        int count = 0;
        while (count < length) {
            int next = read();
            if (next < 0) {
                break;
            }
            bytes[from + count++] = (byte) next;
        }
        return count == 0 && length > 0 ? -1 : count;
    }

    private boolean nextBlock() throws IOException {
        if (exact && ~sum != stored) {
            throw damaged();
        }
        before = -1;
        same = 0;
        while (!ended) {
            long magic = (long) bits(24) << 24 | bits(24);
            int check = bits(16) << 16 | bits(16);
            if (magic == BLOCK) {
                sum = -1;
                stored = check;
                block();
                if (left > 0) {
                    return true;
                }
            } else if (magic == END) {
                bitCount = 0;
                int first = in.read();
                ended = first < 0;
                if (!ended) {
                    header(first);
                }
            } else {
                throw damaged();
            }
        }
        return false;
    }

    private void block() throws IOException {
        if (bits(1) != 0) {
            throw new IOException("the bzip2 data is of a version before 0.9.5");
        }
        int start = bits(24);
        byte[] alphabet = alphabet();
        int symbols = alphabet.length + 2;
        int groups = bits(3);
        int selectorCount = bits(15);
        if (groups < 2 || groups > 6 || selectorCount < 1 || alphabet.length == 0) {
            throw damaged();
        }
        byte[] selectors = selectors(groups, selectorCount);
        int[][] tables = new int[groups][];
        for (int group = 0; group < groups; group++) {
            tables[group] = table(lengths(symbols));
        }
        links(decode(alphabet, selectors, tables, symbols), start);
    }

    private byte[] alphabet() throws IOException {
        int rows = bits(16);
        byte[] alphabet = new byte[256];
        int count = 0;
        for (int row = 0; row < 16; row++) {
            int row16 = (rows & 0x8000 >> row) != 0 ? bits(16) : 0;
            for (int column = 0; column < 16; column++) {
                if ((row16 & 0x8000 >> column) != 0) {
                    alphabet[count++] = (byte) (row * 16 + column);
                }
            }
        }
        return Arrays.copyOf(alphabet, count);
    }

    private byte[] selectors(int groups, int count) throws IOException {
        byte[] order = {0, 1, 2, 3, 4, 5};
        byte[] selectors = new byte[Math.min(count, MOST_SELECTORS)];
        for (int i = 0; i < count; i++) {
            int index = 0;
            while (bits(1) != 0) {
                if (++index >= groups) {
                    throw damaged();
                }
            }
            byte value = order[index];
            System.arraycopy(order, 0, order, 1, index);
            order[0] = value;
            if (i < selectors.length) {
                selectors[i] = value;
            }
        }
        return selectors;
    }

    private int[] lengths(int symbols) throws IOException {
        int[] lengths = new int[symbols];
        int length = bits(5);
        for (int symbol = 0; symbol < symbols; symbol++) {
            while (bits(1) != 0) {
                length += bits(1) == 0 ? 1 : -1;
            }
            if (length < 1 || length > MOST_LENGTH) {
                throw damaged();
            }
            lengths[symbol] = length;
        }
        return lengths;
    }

    /// Canonical codes: for each length the limit of its codes, then the offset of their symbols, then
    /// the symbols.
    private static int[] table(int[] lengths) {
        int[] table = new int[2 * (MOST_LENGTH + 2) + MOST_SYMBOLS];
        int count = 0;
        int code = 0;
        for (int length = 1; length <= MOST_LENGTH; length++) {
            int first = code;
            int offset = count;
            for (int symbol = 0; symbol < lengths.length; symbol++) {
                if (lengths[symbol] == length) {
                    table[2 * (MOST_LENGTH + 2) + count++] = symbol;
                    code++;
                }
            }
            table[length] = code;
            table[MOST_LENGTH + 2 + length] = offset - first;
            code <<= 1;
        }
        return table;
    }

    private int symbol(int[] table) throws IOException {
        int code = 0;
        for (int length = 1; length <= MOST_LENGTH; length++) {
            code = code << 1 | bits(1);
            if (code < table[length]) {
                int index = code + table[MOST_LENGTH + 2 + length];
                if (index >= 0 && index < MOST_SYMBOLS) {
                    return table[2 * (MOST_LENGTH + 2) + index];
                }
                throw damaged();
            }
        }
        throw damaged();
    }

    /// Decodes runs and moves to the front.
    private byte[] decode(byte[] alphabet, byte[] selectors, int[][] tables, int symbols) throws IOException {
        byte[] block = new byte[Math.min(most, 64 * 1024)];
        int count = 0;
        int run = 0;
        int weight = 1;
        for (int group = 0; ; group++) {
            if (group >= selectors.length) {
                throw damaged();
            }
            int[] table = tables[selectors[group]];
            for (int i = 0; i < GROUP; i++) {
                int symbol = symbol(table);
                if (symbol <= 1) {
                    run += weight << symbol;
                    weight <<= 1;
                    if (run > most) {
                        throw damaged();
                    }
                    continue;
                }
                block = room(block, count + run + 1);
                Arrays.fill(block, count, count + run, alphabet[0]);
                count += run;
                run = 0;
                weight = 1;
                if (symbol == symbols - 1) {
                    return Arrays.copyOf(block, count);
                }
                byte value = alphabet[symbol - 1];
                System.arraycopy(alphabet, 0, alphabet, 1, symbol - 1);
                alphabet[0] = value;
                block[count++] = value;
            }
        }
    }

    private byte[] room(byte[] block, int needed) throws IOException {
        if (needed > most + 1) {
            throw damaged();
        }
        return needed <= block.length
                ? block
                : Arrays.copyOf(block, Math.min(most + 1, Math.max(needed, block.length * 4)));
    }

    /// Prepares the way back through the sorted block.
    private void links(byte[] block, int start) throws IOException {
        if (block.length > 0 && start >= block.length) {
            throw damaged();
        }
        int[] places = new int[257];
        for (byte b : block) {
            places[(b & 0xff) + 1]++;
        }
        for (int value = 0; value < 256; value++) {
            places[value + 1] += places[value];
        }
        int[] next = links.length >= block.length ? links : new int[block.length];
        Arrays.fill(next, 0, block.length, 0);
        for (int i = 0; i < block.length; i++) {
            int value = block[i] & 0xff;
            next[places[value]++] |= i << 8;
        }
        for (int i = 0; i < block.length; i++) {
            next[i] |= block[i] & 0xff;
        }
        links = next;
        left = block.length;
        at = block.length > 0 ? next[start] >>> 8 : 0;
    }
}
