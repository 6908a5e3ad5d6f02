package dev.caisson.secret;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.text.Quoted;
import java.util.regex.Pattern;

/// The name of a secret, which is also the name of a directory: 1–63 of `A-Za-z0-9._-`, beginning with a letter or a
/// digit.
public record SecretName(String text) implements Comparable<SecretName> {
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

    /// @throws SecretException SECRET_INVALID
    public SecretName {
        if (!isOne(text)) {
            throw SecretException.invalid("the secret name " + Quoted.of(text)
                    + " is not 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit:"
                    + " choose another one");
        }
    }

    /// Returns whether a text is a name.
    public static boolean isOne(String text) {
        return FORM.matcher(present(text, "text")).matches();
    }

    @Override
    public int compareTo(SecretName other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
