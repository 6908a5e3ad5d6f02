package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.linux.KernelRandom;
import java.util.HexFormat;

/// The name of one container: 64 hexadecimal digits, as Docker's, of which people use the first twelve.
public record ContainerId(String value) {
    private static final int BYTES = 32;
    private static final int SHORT = 12;

    public ContainerId {
        if (!isValid(value)) {
            throw ArgumentException.invalid("a container id is 64 hexadecimal digits: check the id");
        }
    }

    /// True if `text` is the whole of an id.
    public static boolean isValid(String text) {
        present(text, "text");
        for (int i = 0; i < text.length(); i++) {
            char digit = text.charAt(i);
            if (!(digit >= '0' && digit <= '9') && !(digit >= 'a' && digit <= 'f')) {
                return false;
            }
        }
        return text.length() == 2 * BYTES;
    }

    public static ContainerId random() {
        return new ContainerId(HexFormat.of().formatHex(KernelRandom.bytes(BYTES)));
    }

    public String shortForm() {
        return value.substring(0, SHORT);
    }

    /// Returns the short form of a whole id, and any other text, such as a name, as it is.
    public static String shortened(String nameOrId) {
        return isValid(nameOrId) ? new ContainerId(nameOrId).shortForm() : nameOrId;
    }

    @Override
    public String toString() {
        return value;
    }
}
