package dev.caisson.cli.caller;

import dev.caisson.linux.ByteText;
import dev.caisson.text.TerminalText;
import org.jspecify.annotations.Nullable;

/// Text as it may be shown on a terminal in one line.
public final class OneLine {
    private OneLine() {}

    /// The text with every control character replaced: an argument or a name that a container chose can neither break
    /// the line nor send escape sequences to the reader's terminal.
    public static String of(@Nullable String text) {
        if (text == null || text.isBlank()) {
            return "no further detail";
        }
        return TerminalText.line(ByteText.shown(text.strip()));
    }

    /// The same for a row of a table, whose spaces place its columns; an empty row is one.
    public static String row(String text) {
        return TerminalText.line(ByteText.shown(text)).stripTrailing();
    }
}
