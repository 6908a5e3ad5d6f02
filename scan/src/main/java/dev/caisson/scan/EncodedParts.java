package dev.caisson.scan;

import dev.caisson.scan.decode.Encodings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Finds the stretches of a passage that are text in another form: base 64, hexadecimal, UTF-16. A stretch of at least
/// [#SHORTEST] bytes covers a byte at a multiple of that, so only these are looked at.
final class EncodedParts {
    /// Shorter ones hold no token.
    static final int SHORTEST = 24;

    /// A decoded stretch.
    @SuppressWarnings("ArrayRecordComponent") // nobody compares parts
    record Part(int from, int to, byte[] plain, String encoding) {}

    private final Passage passage;
    private final List<Part> parts = new ArrayList<>();

    private EncodedParts(Passage passage) {
        this.passage = passage;
    }

    static List<Part> of(Passage passage) {
        var found = new EncodedParts(passage);
        found.runs();
        found.wide();
        return found.parts;
    }

    private void runs() {
        byte[] bytes = passage.bytes();
        int length = passage.length();
        int end = 0;
        for (int probe = SHORTEST - 1; probe < length; probe += SHORTEST) {
            if (probe < end || !Encodings.isBase64(bytes[probe])) {
                continue;
            }
            int from = probe;
            while (from > end && Encodings.isBase64(bytes[from - 1])) {
                from--;
            }
            end = probe + 1;
            while (end < length && Encodings.isBase64(bytes[end])) {
                end++;
            }
            if (end - from >= SHORTEST) {
                end = run(from, end);
            }
        }
    }

    /// Decodes a run of digits, with the lines that continue it.
    /// @return where it ends
    private int run(int from, int end) {
        byte[] bytes = passage.bytes();
        if (Encodings.isHexadecimal(bytes, from, end)) {
            add(from, end, Encodings.hexadecimal(bytes, from, end), "hex");
            return end;
        }
        int width = end - from;
        int last = end;
        if (width % 4 == 0 && width >= 60) {
            last = continued(end, width);
        }
        byte[] digits = last == end ? bytes : joined(from, last);
        byte[] plain = last == end ? Encodings.base64(bytes, from, end) : Encodings.base64(digits, 0, digits.length);
        add(from, last, plain, "base64");
        return last;
    }

    /// Returns where the last of the lines ends that continue one of `width` digits.
    private int continued(int end, int width) {
        byte[] bytes = passage.bytes();
        int last = end;
        while (true) {
            int at = last;
            while (at < passage.length() && at < last + 64 && isBetweenLines(bytes[at])) {
                at++;
            }
            int from = at;
            while (at < passage.length() && Encodings.isBase64(bytes[at])) {
                at++;
            }
            if (from == last || at == from || at - from > width) {
                return last;
            }
            last = at;
            if (at - from < width) {
                return last;
            }
        }
    }

    private static boolean isBetweenLines(byte b) {
        return b == '\n' || b == '\r' || b == ' ' || b == '\t';
    }

    private byte[] joined(int from, int to) {
        var digits = new byte[to - from];
        int count = 0;
        for (int at = from; at < to; at++) {
            if (Encodings.isBase64(passage.bytes()[at])) {
                digits[count++] = passage.bytes()[at];
            }
        }
        return Arrays.copyOf(digits, count);
    }

    /// UTF-16 of either order: every second byte is zero.
    private void wide() {
        byte[] bytes = passage.bytes();
        int length = passage.length();
        int end = 0;
        for (int probe = SHORTEST; probe + 3 < length; probe += SHORTEST) {
            int at = bytes[probe] == 0 ? probe + 1 : probe;
            if (probe < end || !isWide(bytes, at) || at + 3 >= length || !isWide(bytes, at + 2)) {
                continue;
            }
            int from = at;
            while (from >= end + 2 && isWide(bytes, from - 2)) {
                from -= 2;
            }
            end = at;
            while (end + 1 < length && isWide(bytes, end)) {
                end += 2;
            }
            // the last character's other byte is before it in the other order
            if (end < length && isPlain(bytes[end])) {
                end++;
            }
            if (end - from >= SHORTEST) {
                add(from, end, Encodings.everySecond(bytes, from, end), "utf-16");
            }
        }
    }

    private static boolean isWide(byte[] bytes, int at) {
        return isPlain(bytes[at]) && bytes[at + 1] == 0;
    }

    private static boolean isPlain(byte b) {
        return (b >= ' ' && b < 0x7f) || b == '\n' || b == '\r' || b == '\t';
    }

    private void add(int from, int to, byte[] plain, String encoding) {
        if (plain.length > 0 && from < passage.to() && to > passage.from()) {
            parts.add(new Part(from, to, plain, encoding));
        }
    }
}
