package dev.caisson.scan.git;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// The name of an object: SHA-1, or SHA-256 in repositories of that format.
/// @param length bytes of it; those behind them are zero
public record ObjectId(long high, long middle, long third, long last, int length) {
    /// Bytes of a name by SHA-1.
    public static final int SHA1 = 20;
    /// Bytes of a name by SHA-256.
    public static final int SHA256 = 32;

    /// Returns the name that stands in bytes.
    /// @param length of the name, 20 or 32
    public static ObjectId of(byte[] bytes, int from, int length) {
        ByteBuffer buffer = ByteBuffer.wrap(Arrays.copyOf(Arrays.copyOfRange(bytes, from, from + length), SHA256));
        return new ObjectId(buffer.getLong(), buffer.getLong(), buffer.getLong(), buffer.getLong(), length);
    }

    /// Returns the name that 40 or 64 hexadecimal digits are; empty if they are none.
    public static Optional<ObjectId> parse(String digits) {
        try {
            return digits.length() == 2 * SHA1 || digits.length() == 2 * SHA256
                    ? Optional.of(of(HexFormat.of().parseHex(digits), 0, digits.length() / 2))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    byte[] bytes() {
        byte[] all = ByteBuffer.allocate(SHA256)
                .putLong(high)
                .putLong(middle)
                .putLong(third)
                .putLong(last)
                .array();
        return Arrays.copyOf(all, length);
    }

    /// Returns the first twelve digits, which tell commits apart.
    public String brief() {
        return toString().substring(0, 12);
    }

    /// Returns 40 or 64 hexadecimal digits.
    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes());
    }
}
