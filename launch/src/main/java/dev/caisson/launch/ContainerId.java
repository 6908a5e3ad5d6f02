package dev.caisson.launch;

import java.security.SecureRandom;
import java.util.HexFormat;

/// The name of one container: 64 hexadecimal digits, as Docker's, of which people use the first twelve.
public record ContainerId(String value) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int BYTES = 32;
    private static final int SHORT = 12;

    public ContainerId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("not a container id");
        }
    }

    /// Whether `text` is the whole of an id.
    public static boolean isValid(String text) {
        return text.length() == 2 * BYTES && text.chars().allMatch(ContainerId::isLowerHex);
    }

    private static boolean isLowerHex(int character) {
        return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f');
    }

    public static ContainerId random() {
        byte[] bytes = new byte[BYTES];
        RANDOM.nextBytes(bytes);
        return new ContainerId(HexFormat.of().formatHex(bytes));
    }

    public String shortForm() {
        return value.substring(0, SHORT);
    }

    @Override
    public String toString() {
        return value;
    }
}
