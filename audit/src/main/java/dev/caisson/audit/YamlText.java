package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Writes YAML, and finds the signs between its nodes.
final class YamlText {
    private static final int STEP = 2;

    private YamlText() {}

    /// A node in flow style, as its file has it before variables are replaced.
    static String flow(YamlNode node) {
        return switch (node) {
            case YamlScalar scalar -> scalar(scalar);
            case YamlSeq seq -> seq.items().stream().map(YamlText::flow).collect(Collectors.joining(", ", "[", "]"));
            case YamlMap map ->
                map.entries().values().stream()
                        .map(entry -> scalar(entry.key()) + ": " + flow(entry.value()))
                        .collect(Collectors.joining(", ", "{", "}"));
        };
    }

    private static String scalar(YamlScalar scalar) {
        boolean bare = scalar.plain() && scalar.raw().matches("[A-Za-z0-9_./-][A-Za-z0-9_./$=-]*");
        return bare || scalar.isNull() ? (scalar.isNull() ? "null" : scalar.raw()) : quoted(scalar.raw());
    }

    /// A double-quoted scalar.
    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff) {
                        out.append(String.format(Locale.ROOT, "\\u%04x", c));
                    } else {
                        out.appendCodePoint(c);
                    }
                }
            }
        });
        return out.append('"').toString();
    }

    /// `a: {b: value}` for the path a, b.
    static String flow(List<String> path, String value) {
        return path.size() == 1
                ? path.getFirst() + ": " + value
                : path.getFirst() + ": {" + flow(path.subList(1, path.size()), value) + "}";
    }

    /// A line for each key of a path, and for each item of a list at its end.
    static String block(List<String> path, List<String> values, boolean list, int indent, String lineBreak) {
        StringBuilder out = new StringBuilder();
        int depth = indent;
        for (String key : path) {
            out.append(out.isEmpty() ? "" : lineBreak)
                    .append(" ".repeat(depth))
                    .append(key)
                    .append(':');
            depth += STEP;
        }
        String before = list ? lineBreak + " ".repeat(depth) + "- " : " ";
        values.forEach(value -> out.append(before).append(value));
        return out.toString();
    }

    /// The offset of the dash before an item of a block list, or -1.
    static int dash(Place item) {
        String text = item.source().text();
        int at = item.start() - 1;
        while (at >= 0 && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at--;
        }
        return at >= 0 && text.charAt(at) == '-' ? at : -1;
    }

    /// The offset of the colon behind a key, or -1.
    static int colon(YamlEntry entry) {
        Place key = entry.key().place();
        String text = key.source().text();
        int at = key.end();
        while (at < text.length() && text.charAt(at) == ' ') {
            at++;
        }
        return at < text.length() && text.charAt(at) == ':' ? at : -1;
    }

    /// White space up to the column of an offset.
    static String indentTo(Source source, int offset) {
        String before = source.text().substring(source.lineStart(source.line(offset)), offset);
        return before.replaceAll("[^ \t]", " ");
    }

    static String lineBreak(Source source) {
        return source.lineCount() > 1 && source.text().charAt(Math.max(0, source.lineStart(2) - 2)) == '\r'
                ? "\r\n"
                : "\n";
    }
}
