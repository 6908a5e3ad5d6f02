package dev.caisson.gate.http2;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A header block that is written, RFC 7541 section 6. Of tables it uses the static one alone, and says of each field
/// that nobody on the way may keep it in another one; there is no Huffman code. So no block depends on another one, and
/// its length on the length of values alone (section 7.1).
public final class HeaderBlock {
    private static final int ROOM = 512;
    private static final int INDEXED = 0x80;
    private static final int NEVER_INDEXED = 0x10;
    private static final int BITS_INDEXED = 7;
    private static final int BITS_LITERAL = 4;

    private byte[] bytes = new byte[ROOM];
    private int size;

    /// Adds a field. Both texts have one character for each byte.
    ///
    /// @param name in lower case
    public HeaderBlock add(String name, String value) {
        int index = HeaderTable.index(name, value);
        if (index > 0) {
            number(INDEXED, BITS_INDEXED, index);
            return this;
        }
        byte[] text = value.getBytes(StandardCharsets.ISO_8859_1);
        return add(name, text, text.length);
    }

    /// Adds a field with a value that the caller clears.
    public HeaderBlock add(String name, byte[] value, int length) {
        int index = HeaderTable.index(name);
        number(NEVER_INDEXED, BITS_LITERAL, index);
        if (index == 0) {
            byte[] text = name.getBytes(StandardCharsets.ISO_8859_1);
            text(text, text.length);
        }
        text(value, length);
        return this;
    }

    private void text(byte[] text, int length) {
        number(0, BITS_INDEXED, length);
        room(length);
        System.arraycopy(text, 0, bytes, size, length);
        size += length;
    }

    private void number(int first, int bits, int number) {
        int most = (1 << bits) - 1;
        if (number < most) {
            put(first | number);
            return;
        }
        put(first | most);
        int rest = number - most;
        for (; rest > 0x7f; rest >>>= BITS_INDEXED) {
            put(0x80 | (rest & 0x7f));
        }
        put(rest);
    }

    private void put(int one) {
        room(1);
        bytes[size++] = (byte) one;
    }

    private void room(int more) {
        if (size + more > bytes.length) {
            byte[] former = bytes;
            bytes = Arrays.copyOf(former, Math.max(former.length * 2, size + more));
            Arrays.fill(former, (byte) 0);
        }
    }

    byte[] array() {
        return bytes;
    }

    int size() {
        return size;
    }

    /// Clears all that it has.
    public void clear() {
        Arrays.fill(bytes, (byte) 0);
        size = 0;
    }
}
