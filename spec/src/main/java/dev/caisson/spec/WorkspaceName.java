package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.util.regex.Pattern;

/// The name of a workspace: 1 to 64 letters, digits, `_`, `.` or `-`, the first one a letter or digit.
public record WorkspaceName(String value) implements SharedName {
    private static final Pattern FORM = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}");
    private static final int MOST_SHOWN = 64;

    /// @throws ArgumentException for anything else
    public WorkspaceName {
        if (!isValid(value)) {
            String shown = value.length() > MOST_SHOWN ? value.substring(0, MOST_SHOWN) + "…" : value;
            throw ArgumentException.invalid("'" + shown.replaceAll("\\p{Cntrl}", "?")
                    + "' is not a name of a workspace: give 1 to 64 letters, digits, '_', '.' or '-', first a letter or"
                    + " digit");
        }
    }

    public static boolean isValid(String text) {
        return FORM.matcher(present(text, "name")).matches();
    }

    @Override
    public String toString() {
        return value;
    }
}
