package dev.caisson.secret;

import dev.caisson.text.Quoted;
import java.util.Map;

/// Bounds of the labels of a secret.
final class SecretLabels {
    private static final int MOST = 64;
    private static final int LONGEST_KEY = 128;
    private static final int LONGEST_VALUE = 1024;

    private SecretLabels() {}

    static void require(Map<String, String> labels) {
        if (labels.size() > MOST) {
            throw SecretException.invalid("there are " + labels.size() + " labels: give at most " + MOST);
        }
        labels.forEach((key, value) -> {
            if (key.isEmpty() || key.length() > LONGEST_KEY || value.length() > LONGEST_VALUE) {
                throw SecretException.invalid("the label " + Quoted.of(key) + " has no name, or is longer than "
                        + LONGEST_KEY + " characters with a value of " + LONGEST_VALUE + ": shorten it");
            }
        });
    }
}
