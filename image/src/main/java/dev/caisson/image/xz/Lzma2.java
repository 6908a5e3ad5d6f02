package dev.caisson.image.xz;

import java.io.IOException;
import java.util.Arrays;

/// Decodes chunks of LZMA2. Memory grows with what was decoded, up to the dictionary.
final class Lzma2 {
    private static final int MOST_DICTIONARY = 64 << 20;
    private static final int FIRST_ROOM = 64 * 1024;
    private static final int STATES = 12;
    private static final int PLACES = 16;

    /// Gives one byte after the other, or fails at the end.
    @FunctionalInterface
    interface Source {
        int next() throws IOException;
    }

    private final int most;
    private byte[] dictionary = new byte[FIRST_ROOM];
    private long written;
    private boolean started;

    private int literalBits;
    private int literalPlaces;
    private int placeBits;
    private int state;
    private final int[] repeated = new int[4];

    private final short[] isMatch = new short[STATES * PLACES];
    private final short[] isRepeat = new short[STATES];
    private final short[] isOther = new short[STATES];
    private final short[] isThird = new short[STATES];
    private final short[] isFourth = new short[STATES];
    private final short[] isLong = new short[STATES * PLACES];
    private final short[][] slots = new short[4][64];
    private final short[] special = new short[115];
    private final short[] align = new short[16];
    private final Lengths lengths = new Lengths();
    private final Lengths repeatedLengths = new Lengths();
    private short[] literals = new short[0];

    private byte[] packed = new byte[0];
    private int packedAt;
    private int range;
    private int code;
    private byte[] out = new byte[0];
    private int outAt;

    private final class Lengths {
        private final short[] choice = new short[2];
        private final short[][] low = new short[PLACES][8];
        private final short[][] middle = new short[PLACES][8];
        private final short[] high = new short[256];

        void reset() {
            fill(choice);
            Arrays.stream(low).forEach(Lzma2::fill);
            Arrays.stream(middle).forEach(Lzma2::fill);
            fill(high);
        }

        int next(int place) throws IOException {
            if (bit(choice, 0) == 0) {
                return 2 + tree(low[place], 3);
            }
            return bit(choice, 1) == 0 ? 10 + tree(middle[place], 3) : 18 + tree(high, 8);
        }
    }

    /// @param dictionary bytes, as the data says
    Lzma2(long dictionary) throws IOException {
        if (dictionary > MOST_DICTIONARY) {
            throw new IOException("the xz data needs more than 64 MiB of memory");
        }
        most = (int) dictionary;
    }

    private static void fill(short[] odds) {
        Arrays.fill(odds, (short) 1024);
    }

    private static IOException damaged() {
        return new IOException("the xz data is damaged");
    }

    /// Decodes one chunk; empty at the end of a block.
    byte[] chunk(Source in) throws IOException {
        int control = in.next();
        if (control == 0) {
            return new byte[0];
        }
        boolean plain = control < 0x80;
        if ((plain && control > 2) || (!started && control != 1 && control < 0xe0)) {
            throw damaged();
        }
        if (control == 1 || control >= 0xe0) {
            written = 0;
            started = true;
        }
        int size = (plain ? 0 : (control & 0x1f) << 16) + (in.next() << 8 | in.next()) + 1;
        out = new byte[size];
        outAt = 0;
        if (plain) {
            for (int i = 0; i < size; i++) {
                put((byte) in.next());
            }
            return out;
        }
        int packedSize = (in.next() << 8 | in.next()) + 1;
        int reset = control >> 5 & 3;
        if (reset >= 2) {
            properties(in.next());
        }
        if (reset >= 1) {
            reset();
        }
        packed = new byte[packedSize];
        for (int i = 0; i < packedSize; i++) {
            packed[i] = (byte) in.next();
        }
        decode();
        return out;
    }

    private void properties(int code) throws IOException {
        literalBits = code % 9;
        literalPlaces = code / 9 % 5;
        placeBits = code / 45;
        if (placeBits > 4 || literalBits + literalPlaces > 4) {
            throw damaged();
        }
        literals = new short[0x300 << (literalBits + literalPlaces)];
    }

    private void reset() throws IOException {
        if (literals.length == 0) {
            throw damaged();
        }
        state = 0;
        Arrays.fill(repeated, 0);
        for (short[] odds : new short[][] {isMatch, isRepeat, isOther, isThird, isFourth, isLong, special, align}) {
            fill(odds);
        }
        Arrays.stream(slots).forEach(Lzma2::fill);
        fill(literals);
        lengths.reset();
        repeatedLengths.reset();
    }

    private void put(byte b) {
        if (written >= dictionary.length && dictionary.length < most) {
            dictionary = Arrays.copyOf(dictionary, (int) Math.min(most, dictionary.length * 4L));
        }
        dictionary[(int) (written % dictionary.length)] = b;
        written++;
        out[outAt++] = b;
    }

    private byte back(int distance) throws IOException {
        if (Integer.compareUnsigned(distance, (int) Math.min(written, dictionary.length)) >= 0) {
            throw damaged();
        }
        return dictionary[(int) ((written - 1 - distance) % dictionary.length)];
    }

    private int next() throws IOException {
        if (packedAt >= packed.length) {
            throw damaged();
        }
        return packed[packedAt++] & 0xff;
    }

    private void normalize() throws IOException {
        if ((range & 0xff000000) == 0) {
            range <<= 8;
            code = code << 8 | next();
        }
    }

    private int bit(short[] odds, int index) throws IOException {
        normalize();
        int odd = odds[index];
        int bound = (range >>> 11) * odd;
        if (Integer.compareUnsigned(code, bound) < 0) {
            range = bound;
            odds[index] = (short) (odd + ((2048 - odd) >>> 5));
            return 0;
        }
        range -= bound;
        code -= bound;
        odds[index] = (short) (odd - (odd >>> 5));
        return 1;
    }

    private int tree(short[] odds, int bits) throws IOException {
        int node = 1;
        for (int i = 0; i < bits; i++) {
            node = node << 1 | bit(odds, node);
        }
        return node - (1 << bits);
    }

    private int reverse(short[] odds, int offset, int bits) throws IOException {
        int node = 1;
        int value = 0;
        for (int i = 0; i < bits; i++) {
            int bit = bit(odds, offset + node);
            node = node << 1 | bit;
            value |= bit << i;
        }
        return value;
    }

    private int direct(int bits) throws IOException {
        int value = 0;
        for (int i = 0; i < bits; i++) {
            normalize();
            range >>>= 1;
            int bit = Integer.compareUnsigned(code, range) >= 0 ? 1 : 0;
            code -= bit == 1 ? range : 0;
            value = value << 1 | bit;
        }
        return value;
    }

    private void decode() throws IOException {
        if (literals.length == 0) {
            throw damaged();
        }
        packedAt = 0;
        range = -1;
        code = 0;
        next();
        for (int i = 0; i < 4; i++) {
            code = code << 8 | next();
        }
        while (outAt < out.length) {
            int place = (int) (written & ((1 << placeBits) - 1));
            if (bit(isMatch, state * PLACES + place) == 0) {
                literal();
            } else {
                copy(bit(isRepeat, state) == 0 ? match(place) : repeat(place));
            }
        }
    }

    private void literal() throws IOException {
        int before = written == 0 ? 0 : back(0) & 0xff;
        int context = (int) ((written & ((1 << literalPlaces) - 1)) << literalBits) | before >>> (8 - literalBits);
        int offset = 0x300 * context;
        int node = 1;
        if (state >= 7) {
            int match = back(repeated[0]) & 0xff;
            int sub = 0x100;
            while (node < 0x100) {
                match <<= 1;
                int expected = match & sub;
                int bit = bit(literals, offset + sub + expected + node);
                node = node << 1 | bit;
                sub &= bit == 0 ? ~expected : expected;
            }
        } else {
            while (node < 0x100) {
                node = node << 1 | bit(literals, offset + node);
            }
        }
        put((byte) node);
        state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
    }

    private int match(int place) throws IOException {
        System.arraycopy(repeated, 0, repeated, 1, 3);
        state = state < 7 ? 7 : 10;
        int length = lengths.next(place);
        int slot = tree(slots[Math.min(length - 2, 3)], 6);
        int distance = slot;
        if (slot >= 4) {
            int bits = (slot >> 1) - 1;
            distance = (2 | (slot & 1)) << bits;
            distance += slot < 14
                    ? reverse(special, distance - slot, bits)
                    : (direct(bits - 4) << 4) + reverse(align, 0, 4);
        }
        repeated[0] = distance;
        return length;
    }

    /// Returns the length of a copy from one of the last distances.
    private int repeat(int place) throws IOException {
        if (bit(isOther, state) == 0) {
            if (bit(isLong, state * PLACES + place) == 0) {
                state = state < 7 ? 9 : 11;
                return 1;
            }
        } else {
            int which = bit(isThird, state) == 0 ? 1 : 2 + bit(isFourth, state);
            int distance = repeated[which];
            System.arraycopy(repeated, 0, repeated, 1, which);
            repeated[0] = distance;
        }
        state = state < 7 ? 8 : 11;
        return repeatedLengths.next(place);
    }

    private void copy(int length) throws IOException {
        if (length > out.length - outAt) {
            throw damaged();
        }
        for (int i = 0; i < length; i++) {
            put(back(repeated[0]));
        }
    }
}
