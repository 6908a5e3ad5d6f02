package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import java.util.Optional;
import java.util.Set;

/// Truth values as Docker's command line takes them. Nothing else is one: a misspelled `readonly=yes` must not mount
/// something writable.
public final class BooleanText {
    private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "TRUE", "True");
    private static final Set<String> FALSE = Set.of("0", "f", "F", "false", "FALSE", "False");

    private BooleanText() {}

    /// Empty if the text is no truth value.
    static Optional<Boolean> find(String text) {
        if (TRUE.contains(text)) {
            return Optional.of(true);
        }
        return FALSE.contains(text) ? Optional.of(false) : Optional.empty();
    }

    /// Returns the value of an option.
    /// @throws CommandException OPTION_REFUSED if the text is no truth value
    public static boolean parse(String option, String text) {
        return find(text)
                .orElseThrow(
                        () -> CommandException.refused(option, "'" + text + "' is not a boolean: give true or false"));
    }
}
