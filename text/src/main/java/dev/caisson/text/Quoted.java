package dev.caisson.text;

import java.util.Locale;

/// Quotes text from a stranger for a message of one line: what a terminal would act on is escaped, length is bounded.
public final class Quoted {
    private static final int LONGEST = 200;

    private Quoted() {}

    /// Returns the text in quotation marks.
    public static String of(String text) {
        return between('"', text);
    }

    /// Returns the text in apostrophes, as in messages of Docker.
    public static String inApostrophes(String text) {
        return between('\'', text);
    }

    private static String between(char mark, String text) {
        var out = new StringBuilder().append(mark);
        text.codePoints().limit(LONGEST).forEach(c -> {
            if (c == mark || c == '\\') {
                out.append('\\').appendCodePoint(c);
            } else if (TerminalText.isUnfit(c)) {
                for (char unit : Character.toChars(c)) {
                    out.append(String.format(Locale.ROOT, "\\u%04x", (int) unit));
                }
            } else {
                out.appendCodePoint(c);
            }
        });
        if (text.codePointCount(0, text.length()) > LONGEST) {
            out.append('…');
        }
        return out.append(mark).toString();
    }
}
