package dev.caisson.image.zstd;

import java.util.Arrays;

/// A prefix code for literals, RFC 8878 section 4.2: the table is looked up with as many bits as the longest code has.
final class ZstdHuffman {
    private static final int MOST_BITS = 11;
    private static final int MOST_SYMBOLS = 256;
    private static final int WEIGHT_ACCURACY = 6;
    private static final int HIGHEST_WEIGHT = 12;
    private static final int DIRECT = 128;

    private final int most;
    private final byte[] symbols;
    private final byte[] lengths;

    private ZstdHuffman(int most) {
        this.most = most;
        this.symbols = new byte[1 << most];
        this.lengths = new byte[1 << most];
    }

    /// A code that was read, and where what follows it begins.
    record Read(ZstdHuffman code, int end) {}

    static Read read(byte[] bytes, int from, int to) {
        if (from >= to) {
            throw ZstdException.damaged("a code is cut off");
        }
        int header = bytes[from] & 0xff;
        int begin = from + 1;
        int end = begin + (header < DIRECT ? header : (header - DIRECT + 2) / 2);
        if (end > to) {
            throw ZstdException.damaged("a code is cut off");
        }
        // One more than is described: the last weight follows from the others.
        int[] weights = new int[MOST_SYMBOLS];
        int count = header < DIRECT ? readPacked(bytes, begin, end, weights) : header - DIRECT + 1;
        if (header >= DIRECT) {
            for (int i = 0; i < count; i++) {
                weights[i] = bytes[begin + i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;
            }
        }
        return new Read(of(weights, count), end);
    }

    /// Weights as two interleaved states of one table.
    private static int readPacked(byte[] bytes, int from, int to, int[] weights) {
        ZstdFse.Read read = ZstdFse.read(bytes, from, to, WEIGHT_ACCURACY, HIGHEST_WEIGHT);
        ZstdFse table = read.table();
        var in = new ZstdBits(bytes, read.end(), to);
        int one = in.read(table.accuracy());
        int other = in.read(table.accuracy());
        if (in.isOverrun()) {
            throw ZstdException.damaged("a code is cut off");
        }
        int count = 0;
        while (count < MOST_SYMBOLS - 2) {
            weights[count++] = table.symbol(one);
            int next = table.next(one, in);
            one = other;
            other = next;
            if (in.isOverrun()) {
                weights[count++] = table.symbol(one);
                return count;
            }
        }
        throw ZstdException.damaged("a code has too many symbols");
    }

    private static ZstdHuffman of(int[] weights, int count) {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] > MOST_BITS) {
                throw ZstdException.damaged("a code is too long");
            }
            sum += 1 << weights[i] >> 1;
        }
        int most = sum == 0 ? 0 : ZstdBits.highestBit(sum) + 1;
        int left = (1 << most) - sum;
        if (sum == 0 || most > MOST_BITS || Integer.bitCount(left) != 1) {
            throw ZstdException.damaged("a code is not complete");
        }
        weights[count] = ZstdBits.highestBit(left) + 1;
        var code = new ZstdHuffman(most);
        code.fill(weights, count + 1);
        return code;
    }

    /// The longest codes are the lowest, and among equals those of lower symbols.
    private void fill(int[] weights, int count) {
        int place = 0;
        for (int weight = 1; weight <= most; weight++) {
            for (int symbol = 0; symbol < count; symbol++) {
                if (weights[symbol] == weight) {
                    int next = place + (1 << (weight - 1));
                    Arrays.fill(symbols, place, next, (byte) symbol);
                    Arrays.fill(lengths, place, next, (byte) (most + 1 - weight));
                    place = next;
                }
            }
        }
    }

    /// Decodes one stream, which must hold exactly the literals from `at` to `end`.
    void decode(byte[] bytes, int from, int to, byte[] literals, int at, int end) {
        var in = new ZstdBits(bytes, from, to);
        for (int i = at; i < end; i++) {
            int place = in.peek(most);
            literals[i] = symbols[place];
            in.skip(lengths[place]);
        }
        in.requireEnd();
    }
}
