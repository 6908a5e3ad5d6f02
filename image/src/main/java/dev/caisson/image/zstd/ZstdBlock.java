package dev.caisson.image.zstd;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Decodes the compressed blocks of one frame, RFC 8878 section 3.1.1.3. What one block leaves to the next
/// are the code of its literals, its three tables and the last three offsets.
final class ZstdBlock {

    private static final int[] LENGTH_BASES = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512,
        1024, 2048, 4096, 8192, 16384, 32768, 65536
    };
    private static final int[] LENGTH_BITS = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        16
    };
    private static final int[] MATCH_BASES = {
        3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
        33, 34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539
    };
    private static final int[] MATCH_BITS = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2,
        2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
    };

    /// One of the three kinds of codes that a sequence consists of.
    @SuppressWarnings("ImmutableEnumChecker") // nothing changes a table that is built
    private enum Kind {
        LENGTH(
                9,
                35,
                ZstdFse.of(
                        6, 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1,
                        1, -1, -1, -1, -1)),
        OFFSET(
                8,
                31,
                ZstdFse.of(
                        5, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1)),
        MATCH(
                9,
                52,
                ZstdFse.of(
                        6, 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1));

        private final int mostAccuracy;
        private final int highest;
        private final ZstdFse predefined;

        Kind(int mostAccuracy, int highest, ZstdFse predefined) {
            this.mostAccuracy = mostAccuracy;
            this.highest = highest;
            this.predefined = predefined;
        }
    }

    /// The most bytes that a block may decode to.
    static final int LIMIT = 128 << 10;

    private final byte[] literals = new byte[LIMIT];
    private int literalCount;
    private @Nullable ZstdHuffman code;
    private @Nullable ZstdFse lengths;
    private @Nullable ZstdFse offsets;
    private @Nullable ZstdFse matches;
    private int last = 1;
    private int lastButOne = 4;
    private int lastButTwo = 8;

    /// The block, and where in it the next field is.
    private byte[] in = new byte[0];
    private int size;
    private int at;

    /// Decodes one block behind what the frame holds so far.
    ///
    /// @param block of `length` bytes, with padding behind them
    /// @param history of the frame, with room for `limit` more bytes behind `end`
    /// @param window how far back an offset may lead
    /// @return the new end
    int decode(byte[] block, int length, byte[] history, int end, int window, int limit) {
        in = block;
        size = length;
        at = 0;
        readLiterals(limit);
        int count = readSequenceCount();
        if (count == 0) {
            if (at != size) {
                throw ZstdException.damaged("something follows the literals");
            }
            return copyLiterals(0, literalCount, history, end, end + limit);
        }
        readTables();
        return execute(count, history, end, window, end + limit);
    }

    private int next() {
        if (at >= size) {
            throw ZstdException.damaged("a block is cut off");
        }
        return in[at++] & 0xff;
    }

    /// A header of so many bytes, the one that was read among them.
    private long header(int width) {
        if (at - 1 + width > size) {
            throw ZstdException.damaged("a block is cut off");
        }
        long value = ZstdBits.littleEndian(in, at - 1, width);
        at += width - 1;
        return value;
    }

    // ---- literals

    private void readLiterals(int limit) {
        int first = next();
        int type = first & 3;
        int format = first >> 2 & 3;
        if (type >= 2) {
            readCoded(type, format, limit);
            return;
        }
        // In formats 0 and 2 the size begins one bit earlier.
        literalCount = (int)
                switch (format) {
                    case 1 -> header(2) >> 4;
                    case 3 -> header(3) >> 4;
                    default -> first >> 3;
                };
        checkLiterals(limit);
        if (type == 1) {
            Arrays.fill(literals, 0, literalCount, (byte) next());
        } else {
            if (size - at < literalCount) {
                throw ZstdException.damaged("a block is cut off");
            }
            System.arraycopy(in, at, literals, 0, literalCount);
            at += literalCount;
        }
    }

    private void checkLiterals(int limit) {
        if (literalCount > limit) {
            throw ZstdException.damaged("a block has too many literals");
        }
    }

    private void readCoded(int type, int format, int limit) {
        int width = format < 2 ? 10 : format == 2 ? 14 : 18;
        long sizes = header(format < 2 ? 3 : format == 2 ? 4 : 5) >> 4;
        int mask = (1 << width) - 1;
        literalCount = (int) sizes & mask;
        int end = at + ((int) (sizes >> width) & mask);
        checkLiterals(limit);
        if (end > size) {
            throw ZstdException.damaged("a block is cut off");
        }
        if (type == 2) {
            ZstdHuffman.Read read = ZstdHuffman.read(in, at, end);
            code = read.code();
            at = read.end();
        }
        ZstdHuffman used = code;
        if (used == null) {
            throw ZstdException.damaged("literals without a code");
        }
        if (format == 0) {
            used.decode(in, at, end, literals, 0, literalCount);
        } else {
            decodeFour(used, end);
        }
        at = end;
    }

    private void decodeFour(ZstdHuffman used, int end) {
        if (end - at < 6 || literalCount < 6) {
            throw ZstdException.damaged("four streams of too few literals");
        }
        int part = (literalCount + 3) / 4;
        int from = at + 6;
        for (int i = 0; i < 4; i++) {
            int to = i == 3 ? end : from + (int) ZstdBits.littleEndian(in, at + 2 * i, 2);
            if (to > end) {
                throw ZstdException.damaged("a stream of literals is cut off");
            }
            used.decode(in, from, to, literals, i * part, i == 3 ? literalCount : (i + 1) * part);
            from = to;
        }
    }

    // ---- sequences

    private int readSequenceCount() {
        int first = next();
        if (first < 128) {
            return first;
        }
        return first < 255 ? ((first - 128) << 8) + next() : next() + (next() << 8) + 0x7f00;
    }

    private void readTables() {
        int modes = next();
        if ((modes & 3) != 0) {
            throw ZstdException.damaged("a reserved bit is set");
        }
        lengths = readTable(Kind.LENGTH, modes >> 6, lengths);
        offsets = readTable(Kind.OFFSET, modes >> 4 & 3, offsets);
        matches = readTable(Kind.MATCH, modes >> 2 & 3, matches);
    }

    private ZstdFse readTable(Kind kind, int mode, @Nullable ZstdFse before) {
        return switch (mode) {
            case 0 -> kind.predefined;
            case 1 -> {
                int symbol = next();
                if (symbol > kind.highest) {
                    throw ZstdException.damaged("a code that there is not");
                }
                yield ZstdFse.only(symbol);
            }
            case 2 -> {
                ZstdFse.Read read = ZstdFse.read(in, at, size, kind.mostAccuracy, kind.highest);
                at = read.end();
                yield read.table();
            }
            default -> {
                if (before == null) {
                    throw ZstdException.damaged("a table is repeated that there was not");
                }
                yield before;
            }
        };
    }

    private int execute(int count, byte[] history, int begin, int window, int most) {
        ZstdFse lengthTable = Objects.requireNonNull(lengths);
        ZstdFse offsetTable = Objects.requireNonNull(offsets);
        ZstdFse matchTable = Objects.requireNonNull(matches);
        var bits = new ZstdBits(in, at, size);
        int lengthState = bits.read(lengthTable.accuracy());
        int offsetState = bits.read(offsetTable.accuracy());
        int matchState = bits.read(matchTable.accuracy());
        int end = begin;
        int used = 0;
        for (int left = count; left > 0; left--) {
            int offsetCode = offsetTable.symbol(offsetState);
            int matchCode = matchTable.symbol(matchState);
            int lengthCode = lengthTable.symbol(lengthState);
            long value = (1L << offsetCode) + bits.read(offsetCode);
            int match = MATCH_BASES[matchCode] + bits.read(MATCH_BITS[matchCode]);
            int length = LENGTH_BASES[lengthCode] + bits.read(LENGTH_BITS[lengthCode]);
            if (left > 1) {
                lengthState = lengthTable.next(lengthState, bits);
                matchState = matchTable.next(matchState, bits);
                offsetState = offsetTable.next(offsetState, bits);
            }
            if (bits.isOverrun()) {
                throw ZstdException.damaged("sequences are cut off");
            }
            end = copyLiterals(used, length, history, end, most);
            used += length;
            end = copyMatch(history, end, offset(value, length == 0, Math.min(end, window)), match, most);
        }
        bits.requireEnd();
        return copyLiterals(used, literalCount - used, history, end, most);
    }

    /// Values up to 3 stand for one of the last offsets; without literals before it, for the next one of them.
    int offset(long value, boolean bare, int most) {
        int index = value > 3 ? 4 : (int) value - (bare ? 0 : 1);
        long offset = switch (index) {
            case 0 -> last;
            case 1 -> lastButOne;
            case 2 -> lastButTwo;
            case 3 -> last - 1L;
            default -> value - 3;
        };
        if (offset < 1 || offset > most) {
            throw ZstdException.damaged("an offset leads out of the window");
        }
        if (index >= 2) {
            lastButTwo = lastButOne;
        }
        if (index >= 1) {
            lastButOne = last;
        }
        last = (int) offset;
        return last;
    }

    private int copyLiterals(int from, int count, byte[] history, int end, int most) {
        if (count < 0 || count > literalCount - from || count > most - end) {
            throw ZstdException.damaged("a block has other literals than its sequences use, or is too long");
        }
        System.arraycopy(literals, from, history, end, count);
        return end + count;
    }

    private static int copyMatch(byte[] history, int end, int offset, int count, int most) {
        if (count > most - end) {
            throw ZstdException.damaged("a block is too long");
        }
        if (offset >= count) {
            System.arraycopy(history, end - offset, history, end, count);
        } else {
            // What is copied is partly what this copy makes.
            for (int i = end; i < end + count; i++) {
                history[i] = history[i - offset];
            }
        }
        return end + count;
    }
}
