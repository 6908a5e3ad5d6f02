package dev.caisson.image.zstd;

import java.util.Arrays;

/// A decoding table of finite state entropy, RFC 8878 section 4.1: each state stands for a symbol and says
/// how many bits lead to the next.
final class ZstdFse {
    private static final int LEAST_ACCURACY = 5;

    private final int accuracy;
    private final byte[] symbols;
    private final byte[] bits;
    private final int[] baselines;

    private ZstdFse(int accuracy) {
        this.accuracy = accuracy;
        this.symbols = new byte[1 << accuracy];
        this.bits = new byte[1 << accuracy];
        this.baselines = new int[1 << accuracy];
    }

    /// The table of one symbol that is always the next.
    static ZstdFse only(int symbol) {
        var table = new ZstdFse(0);
        table.symbols[0] = (byte) symbol;
        return table;
    }

    /// @param probabilities of the symbols, of 2 to the power of `accuracy` in all; -1 stands for less than 1
    static ZstdFse of(int accuracy, int... probabilities) {
        var table = new ZstdFse(accuracy);
        int size = 1 << accuracy;
        int[] next = new int[probabilities.length];
        int high = size;
        for (int symbol = 0; symbol < probabilities.length; symbol++) {
            next[symbol] = Math.abs(probabilities[symbol]);
            if (probabilities[symbol] < 0) {
                high--;
                table.symbols[high] = (byte) symbol;
            }
        }
        table.spread(high, probabilities);
        for (int state = 0; state < size; state++) {
            int number = next[table.symbols[state]]++;
            int width = accuracy - ZstdBits.highestBit(number);
            table.bits[state] = (byte) width;
            table.baselines[state] = (number << width) - size;
        }
        return table;
    }

    /// Symbols take places in steps that come to every one of them, those of the improbable left out.
    private void spread(int high, int[] probabilities) {
        int size = symbols.length;
        int step = (size >> 1) + (size >> 3) + 3;
        int place = 0;
        for (int symbol = 0; symbol < probabilities.length; symbol++) {
            for (int i = 0; i < probabilities[symbol]; i++) {
                symbols[place] = (byte) symbol;
                do {
                    place = (place + step) & (size - 1);
                } while (place >= high);
            }
        }
    }

    int accuracy() {
        return accuracy;
    }

    int symbol(int state) {
        return symbols[state];
    }

    int next(int state, ZstdBits in) {
        return baselines[state] + in.read(bits[state]);
    }

    /// A table that was read, and where what follows it begins.
    record Read(ZstdFse table, int end) {}

    /// Reads a table's description.
    ///
    /// @param from where it begins in `bytes`
    /// @param to where it ends at the latest
    /// @param highestSymbol that may occur
    static Read read(byte[] bytes, int from, int to, int mostAccuracy, int highestSymbol) {
        var in = new Forward(bytes, from, to);
        int accuracy = in.read(4) + LEAST_ACCURACY;
        if (accuracy > mostAccuracy) {
            throw ZstdException.damaged("a table is too fine");
        }
        int[] probabilities = new int[highestSymbol + 1];
        int symbol = 0;
        int left = 1 << accuracy;
        while (left > 0) {
            if (symbol > highestSymbol) {
                throw ZstdException.damaged("a table has too many symbols");
            }
            int probability = in.readProbability(left);
            probabilities[symbol++] = probability;
            left -= Math.abs(probability);
            if (probability == 0) {
                symbol = in.skipZeros(symbol);
            }
        }
        // Symbols behind the last have no share: with them the sum stays what it is.
        int known = Math.min(symbol, probabilities.length);
        return new Read(of(accuracy, Arrays.copyOf(probabilities, known)), in.end());
    }

    /// Bits in the order in which they stand.
    private static final class Forward {
        private final byte[] bytes;
        private final long limit;
        private long position;

        Forward(byte[] bytes, int from, int to) {
            this.bytes = bytes;
            this.position = 8L * from;
            this.limit = 8L * to;
        }

        int read(int count) {
            if (position + count > limit) {
                throw ZstdException.damaged("a table is cut off");
            }
            int value = 0;
            for (int i = 0; i < count; i++, position++) {
                value |= (bytes[(int) (position >>> 3)] >>> (position & 7) & 1) << i;
            }
            return value;
        }

        /// Reads a value of up to `left` + 1; lower ones are a bit shorter, as far as that is unambiguous.
        int readProbability(int left) {
            int width = ZstdBits.highestBit(left + 1) + 1;
            int half = 1 << (width - 1);
            int shorter = (1 << width) - 2 - left;
            int low = read(width - 1);
            if (low < shorter) {
                return low - 1;
            }
            return (read(1) == 0 ? low : low + half - shorter) - 1;
        }

        /// Each group of two bits tells how many more symbols have no share; a 3 that another follows.
        int skipZeros(int symbol) {
            int next = symbol;
            int repeat;
            do {
                repeat = read(2);
                next += repeat;
            } while (repeat == 3);
            return next;
        }

        int end() {
            return (int) ((position + 7) >>> 3);
        }
    }
}
