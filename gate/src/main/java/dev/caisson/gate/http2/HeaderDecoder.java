package dev.caisson.gate.http2;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Decodes the header blocks of one direction of a connection, RFC 7541. A list that is too large is decoded to its
/// end, because later blocks build on it, but not kept.
final class HeaderDecoder {
    /// The most bytes of a list, by the count of RFC 7541 section 4.1: SETTINGS_MAX_HEADER_LIST_SIZE.
    static final int MOST_BYTES = 65_536;

    private static final int MOST_FIELDS = 256;
    private static final int MOST_RESIZES = 2;
    private static final int MOST_SHIFT = 21;
    private static final int INDEXED = 0x80;
    private static final int ADDED = 0x40;
    private static final int RESIZED = 0x20;
    private static final int BITS_INDEXED = 7;
    private static final int BITS_ADDED = 6;
    private static final int BITS_RESIZED = 5;
    private static final int BITS_LITERAL = 4;
    private static final int BITS_LENGTH = 7;

    private final HeaderTable table = new HeaderTable();
    private byte[] block = new byte[0];
    private int at;
    private int end;
    private List<HeaderField> fields = List.of();
    private int bytes;
    private boolean tooLarge;

    /// Decodes one block.
    /// @throws ConnectionException COMPRESSION_ERROR if it cannot be, after which no other one can be
    HeaderList decode(byte[] encoded, int length) throws ConnectionException {
        block = encoded;
        at = 0;
        end = length;
        fields = new ArrayList<>();
        bytes = 0;
        tooLarge = false;
        for (int resizes = 0; at < end && (block[at] & 0xe0) == RESIZED; resizes++) {
            int most = number(BITS_RESIZED);
            if (most > HeaderTable.MOST_BYTES || resizes == MOST_RESIZES) {
                throw wrong("the table is made larger than it may be, or too often");
            }
            table.resize(most);
        }
        while (at < end) {
            field();
        }
        block = new byte[0];
        return new HeaderList(tooLarge ? List.of() : fields, tooLarge);
    }

    private void field() throws ConnectionException {
        int first = block[at] & 0xff;
        if ((first & INDEXED) != 0) {
            keep(indexed(number(BITS_INDEXED)));
        } else if ((first & ADDED) != 0) {
            HeaderField field = literal(BITS_ADDED);
            table.add(field);
            keep(field);
        } else if ((first & RESIZED) != 0) {
            throw wrong("the size of the table changes within a block");
        } else {
            keep(literal(BITS_LITERAL)); // without an index, or never with one: no block that is written has one
        }
    }

    private void keep(HeaderField field) {
        bytes += field.size();
        tooLarge |= bytes > MOST_BYTES || bytes < 0 || fields.size() >= MOST_FIELDS;
        if (tooLarge) {
            bytes = MOST_BYTES + 1;
            fields.clear();
        } else {
            fields.add(field);
        }
    }

    private HeaderField indexed(int index) throws ConnectionException {
        return table.at(index).orElseThrow(() -> wrong("index " + index + " leads to no field"));
    }

    private HeaderField literal(int bits) throws ConnectionException {
        int index = number(bits);
        String name = index == 0 ? text() : indexed(index).name();
        return new HeaderField(name, text());
    }

    private String text() throws ConnectionException {
        if (at == end) {
            throw wrong("a block ends before a text");
        }
        boolean huffman = (block[at] & 0x80) != 0;
        int length = number(BITS_LENGTH);
        if (length > end - at) {
            throw wrong("a text is longer than its block");
        }
        int from = at;
        at += length;
        return huffman
                ? Huffman.decoded(block, from, at)
                : new String(block, from, length, StandardCharsets.ISO_8859_1);
    }

    /// Reads a number that begins with the last bits of a byte, RFC 7541 section 5.1.
    private int number(int bits) throws ConnectionException {
        int most = (1 << bits) - 1;
        int number = block[at++] & most;
        if (number < most) {
            return number;
        }
        for (int shift = 0; at < end; shift += BITS_LENGTH) {
            if (shift > MOST_SHIFT) {
                throw wrong("a number is too large");
            }
            int next = block[at++] & 0xff;
            number += (next & 0x7f) << shift;
            if ((next & 0x80) == 0) {
                return number;
            }
        }
        throw wrong("a block ends within a number");
    }

    private static ConnectionException wrong(String reason) {
        return new ConnectionException(ErrorCode.COMPRESSION_ERROR, reason);
    }
}
