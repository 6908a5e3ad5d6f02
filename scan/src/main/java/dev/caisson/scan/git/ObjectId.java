package dev.caisson.scan.git;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;

/// The SHA-1 name of an object.
public record ObjectId(long high, long middle, int low) {
    static final int BYTES = 20;

    static ObjectId of(byte[] bytes, int from) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, from, BYTES);
        return new ObjectId(buffer.getLong(), buffer.getLong(), buffer.getInt());
    }

    /// Returns the name that 40 hexadecimal digits are; empty if they are none.
    public static Optional<ObjectId> parse(String digits) {
        try {
            return digits.length() == 2 * BYTES
                    ? Optional.of(of(HexFormat.of().parseHex(digits), 0))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    byte[] bytes() {
        return ByteBuffer.allocate(BYTES)
                .putLong(high)
                .putLong(middle)
                .putInt(low)
                .array();
    }

    /// Returns the first twelve digits, which tell commits apart.
    public String brief() {
        return toString().substring(0, 12);
    }

    /// Returns 40 hexadecimal digits.
    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes());
    }
}
