package dev.caisson.text;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Writes as JSON what [Json] reads: maps, lists, texts, numbers, truth values and null, indented with tabs. A
/// document that was read and not changed has the same values in the same order.
public final class JsonOutput {
    private JsonOutput() {}

    /// Returns the text of a value, ending with a line end.
    /// @throws IllegalArgumentException if it has a value of another kind
    public static String of(@Nullable Object value) {
        var out = new StringBuilder();
        write(value, "\n", out);
        return out.append('\n').toString();
    }

    private static void write(@Nullable Object value, String line, StringBuilder out) {
        switch (value) {
            case null -> out.append("null");
            case Map<?, ?> map -> {
                String separator = "{" + line + "\t";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator);
                    text(String.valueOf(entry.getKey()), out);
                    out.append(": ");
                    write(entry.getValue(), line + "\t", out);
                    separator = "," + line + "\t";
                }
                out.append(map.isEmpty() ? "{}" : line + "}");
            }
            case List<?> list -> {
                String separator = "[" + line + "\t";
                for (Object one : list) {
                    out.append(separator);
                    write(one, line + "\t", out);
                    separator = "," + line + "\t";
                }
                out.append(list.isEmpty() ? "[]" : line + "]");
            }
            case String text -> text(text, out);
            case Number number -> out.append(number);
            case Boolean truth -> out.append(truth);
            default -> throw new IllegalArgumentException("JSON has no " + value.getClass());
        }
    }

    private static void text(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < ' ' || c == 0x7f) {
                        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
