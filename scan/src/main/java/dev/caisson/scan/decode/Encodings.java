package dev.caisson.scan.decode;

import java.util.Arrays;

/// Decodes stretches of bytes that hold text in another form.
public final class Encodings {
    private static final byte[] BASE_64 = new byte[256];
    private static final int LOOKED_AT = 32;

    static {
        Arrays.fill(BASE_64, (byte) -1);
        String digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (int i = 0; i < digits.length(); i++) {
            BASE_64[digits.charAt(i)] = (byte) i;
        }
        BASE_64['-'] = BASE_64['+'];
        BASE_64['_'] = BASE_64['/'];
    }

    private Encodings() {}

    /// True for the digits of both alphabets of base 64.
    public static boolean isBase64(byte b) {
        return BASE_64[b & 0xff] >= 0;
    }

    /// True if all bytes are hexadecimal digits.
    public static boolean isHexadecimal(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            if (Character.digit(bytes[at], 16) < 0) {
                return false;
            }
        }
        return true;
    }

    /// Decodes base 64 without padding; empty if what it starts with is no text.
    public static byte[] base64(byte[] bytes, int from, int to) {
        int groups = (to - from) / 4;
        int rest = (to - from) % 4;
        var plain = new byte[groups * 3 + (rest == 0 ? 0 : rest - 1)];
        int out = 0;
        int at = from;
        for (; at + 4 <= to; at += 4) {
            int bits = digit(bytes, at) << 18
                    | digit(bytes, at + 1) << 12
                    | digit(bytes, at + 2) << 6
                    | digit(bytes, at + 3);
            plain[out++] = (byte) (bits >> 16);
            plain[out++] = (byte) (bits >> 8);
            plain[out++] = (byte) bits;
            if (out == LOOKED_AT / 4 * 3 && !isText(plain, out)) {
                return new byte[0];
            }
        }
        if (rest >= 2) {
            int bits =
                    digit(bytes, at) << 18 | digit(bytes, at + 1) << 12 | (rest == 3 ? digit(bytes, at + 2) << 6 : 0);
            plain[out++] = (byte) (bits >> 16);
            if (rest == 3) {
                plain[out] = (byte) (bits >> 8);
            }
        }
        return isText(plain, Math.min(plain.length, LOOKED_AT)) ? plain : new byte[0];
    }

    private static int digit(byte[] bytes, int at) {
        return BASE_64[bytes[at] & 0xff];
    }

    /// Decodes hexadecimal digits; empty if what it starts with is no text.
    public static byte[] hexadecimal(byte[] bytes, int from, int to) {
        var plain = new byte[(to - from) / 2];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = (byte)
                    (Character.digit(bytes[from + 2 * i], 16) << 4 | Character.digit(bytes[from + 2 * i + 1], 16));
        }
        return isText(plain, Math.min(plain.length, LOOKED_AT)) ? plain : new byte[0];
    }

    /// Every second byte, which is the text in UTF-16 of characters below U+0100.
    public static byte[] everySecond(byte[] bytes, int from, int to) {
        var plain = new byte[(to - from + 1) / 2];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = bytes[from + 2 * i];
        }
        return plain;
    }

    /// Decodes escapes of bytes by `%` or `\x`, of characters by `u` and four digits, and of a slash; all else stays.
    public static byte[] escapes(byte[] bytes, int from, int to) {
        var plain = new byte[to - from];
        int out = 0;
        for (int at = from; at < to; ) {
            int length = escapeLength(bytes, at, to);
            if (length > 0) {
                plain[out++] = (byte) (Character.digit(bytes[at + length - 2], 16) << 4
                        | Character.digit(bytes[at + length - 1], 16));
                at += length;
            } else if (bytes[at] == '\\' && at + 1 < to && bytes[at + 1] == '/') {
                at++;
            } else {
                plain[out++] = bytes[at++];
            }
        }
        return Arrays.copyOf(plain, out);
    }

    /// Returns the length of the escape at `at`, or 0 if there is none of a character below U+0100.
    public static int escapeLength(byte[] bytes, int at, int to) {
        int prefix = bytes[at] == '%' ? 1 : 0;
        if (bytes[at] == '\\' && at + 1 < to) {
            boolean wide = (bytes[at + 1] == 'u' || bytes[at + 1] == 'U')
                    && at + 3 < to
                    && bytes[at + 2] == '0'
                    && bytes[at + 3] == '0';
            prefix = bytes[at + 1] == 'x' ? 2 : wide ? 4 : 0;
        }
        return prefix > 0 && at + prefix + 2 <= to && isHexadecimal(bytes, at + prefix, at + prefix + 2)
                ? prefix + 2
                : 0;
    }

    /// Most of it is printable, or is so in UTF-16.
    private static boolean isText(byte[] bytes, int length) {
        int printable = 0;
        for (int at = 0; at < length; at++) {
            byte b = bytes[at];
            printable += (b >= ' ' && b < 0x7f) || b == '\n' || b == '\r' || b == '\t' || b == 0 ? 1 : 0;
        }
        return length > 0 && printable * 10 >= length * 9;
    }
}
