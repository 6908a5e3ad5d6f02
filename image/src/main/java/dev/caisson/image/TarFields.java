package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ByteText;
import java.util.Arrays;

/// The fields of a tar header block: numbers and text at fixed places of 512 bytes.
final class TarFields {
    static final int BLOCK = 512;

    private final byte[] block;

    TarFields(byte[] block) {
        this.block = block;
    }

    boolean isZero() {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    /// The sum of all bytes with the sum's own field as blanks; old programs added them up as signed.
    void check() {
        long unsigned = 0;
        long signed = 0;
        for (int i = 0; i < BLOCK; i++) {
            byte b = i >= 148 && i < 156 ? (byte) ' ' : block[i];
            unsigned += b & 0xff;
            signed += b;
        }
        long written = number(148, 8);
        if (written != unsigned && written != signed) {
            throw bad("a header whose check sum is wrong");
        }
    }

    byte at(int offset) {
        return block[offset];
    }

    /// POSIX ustar, where the name has a prefix field; GNU's own form of that magic has other fields there.
    boolean isUstar() {
        return Arrays.equals(block, 257, 263, new byte[] {'u', 's', 't', 'a', 'r', 0}, 0, 6);
    }

    byte[] bytes(int offset, int length) {
        int end = offset;
        while (end < offset + length && block[end] != 0) {
            end++;
        }
        return Arrays.copyOfRange(block, offset, end);
    }

    /// Octal digits, or with the first bit set a big-endian two's complement number.
    long number(int offset, int length) {
        if ((block[offset] & 0x80) != 0) {
            return binary(offset, length);
        }
        int at = offset;
        int end = offset + length;
        while (at < end && block[at] == ' ') {
            at++;
        }
        long value = 0;
        for (; at < end && block[at] != ' ' && block[at] != 0; at++) {
            if (block[at] < '0' || block[at] > '7') {
                throw bad("a number that is not octal");
            }
            value = value << 3 | (block[at] - '0');
        }
        for (; at < end; at++) {
            if (block[at] != ' ' && block[at] != 0) {
                throw bad("a number with something behind it");
            }
        }
        return value;
    }

    private long binary(int offset, int length) {
        boolean negative = (block[offset] & 0x40) != 0;
        long value = negative ? -1 : 0;
        for (int i = 0; i < length; i++) {
            int b = i == 0 ? (negative ? block[offset] & 0xff : block[offset] & 0x7f) : block[offset + i] & 0xff;
            if (value >> 55 != (negative ? -1 : 0)) {
                throw bad("a number that is too large");
            }
            value = value << 8 | b;
        }
        return value;
    }

    static String text(byte[] bytes) {
        for (byte b : bytes) {
            if (b == 0) {
                throw bad("a name with a NUL character");
            }
        }
        return ByteText.of(bytes);
    }

    static ImageException bad(String what) {
        return new ImageException(Code.BAD_ARCHIVE, "the archive has " + what + "; fetch or build it again");
    }
}
