package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The hardware address of one network card, 48 bits. Not one of a group, and not all zeros.
public record MacAddress(long value) {
    private static final Pattern FORM = Pattern.compile("[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}");
    private static final int BYTES = 6;
    private static final long GROUP = 1L << 40;

    public MacAddress {
        if (value <= 0 || value >= 1L << 48 || (value & GROUP) != 0) {
            throw ArgumentException.invalid(
                    "MAC address " + text(value)
                            + " is not that of one card: use one that is not zero and whose first byte is even, such as 02:00:00:00:00:01");
        }
    }

    /// Reads `02:42:ac:11:00:02`, or the same with hyphens.
    public static MacAddress parse(String text) {
        if (!FORM.matcher(present(text, "text")).matches()) {
            throw ArgumentException.invalid(Quoted.of(text)
                    + " is not a MAC address: write six pairs of hexadecimal digits, such as 02:42:ac:11:00:02");
        }
        return new MacAddress(Long.parseLong(text.replaceAll("[:-]", ""), 16));
    }

    public static MacAddress of(byte[] bytes) {
        if (present(bytes, "bytes").length != BYTES) {
            throw ArgumentException.invalid("a MAC address has 6 bytes, not " + bytes.length);
        }
        return new MacAddress(ByteBuffer.allocate(Long.BYTES)
                .putShort((short) 0)
                .put(bytes)
                .flip()
                .getLong());
    }

    /// Returns the six bytes in the order in which they are written.
    public byte[] bytes() {
        byte[] bytes = new byte[BYTES];
        ByteBuffer.allocate(Long.BYTES).putLong(value).flip().position(2).get(bytes);
        return bytes;
    }

    private static String text(long value) {
        return HexFormat.ofDelimiter(":")
                .formatHex(ByteBuffer.allocate(8).putLong(value).array(), 2, 8);
    }

    @Override
    public String toString() {
        return text(value);
    }
}
