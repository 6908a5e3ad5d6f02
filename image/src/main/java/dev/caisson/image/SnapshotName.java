package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.util.regex.Pattern;

/// The name of a snapshot: 1 to 128 letters, digits, `_`, `.` or `-`, the first one a letter or digit.
public record SnapshotName(String value) implements Comparable<SnapshotName> {
    private static final Pattern FORM = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");

    /// @throws ArgumentException for anything else
    public SnapshotName {
        if (!isValid(value)) {
            throw ArgumentException.invalid(Quoted.of(value)
                    + " is not a name of a snapshot: give 1 to 128 letters, digits, '_', '.' or '-', first a letter or"
                    + " digit");
        }
    }

    static boolean isValid(String text) {
        return FORM.matcher(present(text, "name")).matches();
    }

    @Override
    public int compareTo(SnapshotName other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
