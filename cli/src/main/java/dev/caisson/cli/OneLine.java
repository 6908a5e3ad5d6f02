package dev.caisson.cli;

import org.jspecify.annotations.Nullable;

/// Text as it may be shown on a terminal in one line.
final class OneLine {
    private OneLine() {}

    /// The text with every control character replaced: an argument or a name that a container chose can neither break
    /// the line nor send escape sequences to the reader's terminal.
    static String of(@Nullable String text) {
        if (text == null || text.isBlank()) {
            return "no further detail";
        }
        var line = new StringBuilder(text.length());
        text.strip().codePoints().forEach(point -> {
            if (point == '\n' || point == '\t' || point == '\r') {
                line.append(' ');
            } else if (Character.isISOControl(point) || Character.getType(point) == Character.FORMAT) {
                line.append('\uFFFD');
            } else {
                line.appendCodePoint(point);
            }
        });
        return line.toString();
    }
}
