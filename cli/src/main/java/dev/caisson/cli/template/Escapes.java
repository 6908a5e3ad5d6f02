package dev.caisson.cli.template;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Text as other languages quote it, as Go's text/template does.
final class Escapes {
    private static final String SPECIAL = "\\'\"";
    private static final String HEXADECIMAL = "<>&=";

    private Escapes() {}

    static String html(String text) {
        return text.replace("&", "&amp;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace('\0', '\uFFFD');
    }

    /// Returns a text as it stands in a string literal of JavaScript.
    static String javaScript(String text) {
        var out = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (SPECIAL.indexOf(c) >= 0) {
                out.append('\\').appendCodePoint(c);
            } else if (HEXADECIMAL.indexOf(c) >= 0 || isUnprintable(c)) {
                out.append(String.format(Locale.ROOT, "\\u%04X", c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }

    private static boolean isUnprintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> true;
            default -> Character.isSpaceChar(c) && c != ' ';
        };
    }

    /// Returns a text as it stands for a value in the query of a URL.
    static String query(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("*", "%2A")
                .replace("%7E", "~");
    }
}
