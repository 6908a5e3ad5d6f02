package dev.caisson.scan.toml;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads the part of TOML 1.0 that files of rules are written in: tables, arrays of tables, and values that are
/// strings of all four kinds, numbers, switches, and arrays of these. Dates and inline tables are refused.
public final class Toml {
    private static final int MOST_DEPTH = 32;

    private final String text;
    private int at;
    private int line = 1;

    private Toml(String text) {
        this.text = text;
    }

    /// Returns the document's root table: values are String, Long, Double, Boolean, List or Map.
    /// @throws TomlSyntaxException if it is not in that part of TOML
    public static Map<String, Object> parse(String text) {
        return new Toml(text.replace("\r\n", "\n")).document();
    }

    private Map<String, Object> document() {
        Map<String, Object> root = new LinkedHashMap<>();
        Map<String, Object> table = root;
        for (skipLines(); at < text.length(); skipLines()) {
            if (text.startsWith("[[", at)) {
                table = header(root, 2);
            } else if (text.charAt(at) == '[') {
                table = header(root, 1);
            } else {
                setting(table);
            }
            endOfLine();
        }
        return root;
    }

    private Map<String, Object> header(Map<String, Object> root, int brackets) {
        at += brackets;
        List<String> path = path();
        if (!text.startsWith("]".repeat(brackets), at)) {
            throw wrong("a table's name is not closed");
        }
        at += brackets;
        Map<String, Object> above = descend(root, path.subList(0, path.size() - 1));
        String name = path.getLast();
        Object existing = above.get(name);
        Map<String, Object> made = new LinkedHashMap<>();
        if (brackets == 2) {
            List<Object> all = existing == null ? new ArrayList<>() : list(existing, name);
            all.add(made);
            above.put(name, all);
            return made;
        }
        if (existing == null) {
            above.put(name, made);
            return made;
        }
        return map(existing, name);
    }

    private Map<String, Object> descend(Map<String, Object> from, List<String> path) {
        Map<String, Object> table = from;
        for (String name : path) {
            Object next = table.computeIfAbsent(name, key -> new LinkedHashMap<String, Object>());
            table = next instanceof List<?> all && !all.isEmpty() ? map(all.getLast(), name) : map(next, name);
        }
        return table;
    }

    @SuppressWarnings("unchecked") // every map in the tree was made here
    private Map<String, Object> map(Object value, String name) {
        if (value instanceof Map<?, ?> map) {
            return (Map<String, Object>) map;
        }
        throw wrong(name + " is a value and a table");
    }

    @SuppressWarnings("unchecked") // as above
    private List<Object> list(Object value, String name) {
        if (value instanceof List<?> list) {
            return (List<Object>) list;
        }
        throw wrong(name + " is a table and a list of tables");
    }

    private void setting(Map<String, Object> table) {
        List<String> path = path();
        if (at >= text.length() || text.charAt(at) != '=') {
            throw wrong("a name has no = after it");
        }
        at++;
        skipBlanks();
        Object value = value(0);
        if (descend(table, path.subList(0, path.size() - 1)).putIfAbsent(path.getLast(), value) != null) {
            throw wrong(path.getLast() + " is set twice");
        }
    }

    private List<String> path() {
        List<String> path = new ArrayList<>();
        do {
            skipBlanks();
            path.add(name());
            skipBlanks();
        } while (at < text.length() && text.charAt(at) == '.' && at++ >= 0);
        return path;
    }

    private String name() {
        if (at < text.length() && (text.charAt(at) == '"' || text.charAt(at) == '\'')) {
            return text.charAt(at) == '"' ? basic() : literal();
        }
        int from = at;
        while (at < text.length() && isBare(text.charAt(at))) {
            at++;
        }
        if (at == from) {
            throw wrong("a name is expected");
        }
        return text.substring(from, at);
    }

    private static boolean isBare(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    }

    private Object value(int depth) {
        if (at >= text.length() || depth > MOST_DEPTH) {
            throw wrong(depth > MOST_DEPTH ? "lists are too deep" : "a value is missing");
        }
        if (text.startsWith("'''", at) || text.startsWith("\"\"\"", at)) {
            return severalLines();
        }
        return switch (text.charAt(at)) {
            case '"' -> basic();
            case '\'' -> literal();
            case '[' -> array(depth);
            default -> word();
        };
    }

    private List<Object> array(int depth) {
        List<Object> all = new ArrayList<>();
        at++;
        for (skipLines(); at < text.length() && text.charAt(at) != ']'; skipLines()) {
            all.add(value(depth + 1));
            skipLines();
            if (at < text.length() && text.charAt(at) == ',') {
                at++;
            } else if (at >= text.length() || text.charAt(at) != ']') {
                throw wrong("a list is not closed");
            }
        }
        if (at >= text.length()) {
            throw wrong("a list is not closed");
        }
        at++;
        return all;
    }

    private Object word() {
        int from = at;
        while (at < text.length() && (isBare(text.charAt(at)) || text.charAt(at) == '+' || text.charAt(at) == '.')) {
            at++;
        }
        String word = text.substring(from, at).replace("_", "");
        if (word.equals("true") || word.equals("false")) {
            return word.equals("true");
        }
        try {
            if (word.matches("[+-]?\\d+")) {
                return Long.valueOf(word);
            }
            if (word.matches("[+-]?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?")) {
                return Double.valueOf(word);
            }
        } catch (NumberFormatException e) {
            throw wrong("a number is too large");
        }
        throw wrong("a value is neither string, number, true, false nor list");
    }

    private String literal() {
        int end = text.indexOf('\'', at + 1);
        int lineEnd = text.indexOf('\n', at);
        if (end < 0 || (lineEnd >= 0 && lineEnd < end)) {
            throw wrong("a string is not closed");
        }
        String value = text.substring(at + 1, end);
        at = end + 1;
        return value;
    }

    private String severalLines() {
        String quote = text.substring(at, at + 3);
        int from = text.startsWith("\n", at + 3) ? at + 4 : at + 3;
        int end = from;
        while (end < text.length() && !text.startsWith(quote, end)) {
            end += quote.charAt(0) == '"' && text.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= text.length()) {
            throw wrong("a string is not closed");
        }
        // up to two quotes before the last three belong to the text
        for (int more = 0; more < 2 && end + 3 < text.length() && text.charAt(end + 3) == quote.charAt(0); more++) {
            end++;
        }
        String value = text.substring(from, end);
        line += (int) text.substring(at, end).chars().filter(c -> c == '\n').count();
        at = end + 3;
        return quote.charAt(0) == '"' ? unescaped(value.replaceAll("\\\\[ \\t]*\\n\\s*", "")) : value;
    }

    private String basic() {
        int end = at + 1;
        while (end < text.length() && text.charAt(end) != '"' && text.charAt(end) != '\n') {
            end += text.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= text.length() || text.charAt(end) != '"') {
            throw wrong("a string is not closed");
        }
        String value = text.substring(at + 1, end);
        at = end + 1;
        return unescaped(value);
    }

    private String unescaped(String value) {
        if (value.indexOf('\\') < 0) {
            return value;
        }
        var plain = new StringBuilder();
        int i = 0;
        while (i < value.length()) {
            char c = value.charAt(i++);
            if (c != '\\') {
                plain.append(c);
                continue;
            }
            char escape = i < value.length() ? value.charAt(i++) : ' ';
            int digits = escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
            if (digits > 0) {
                plain.appendCodePoint(codePoint(value, i, digits));
                i += digits;
            } else {
                plain.append(escaped(escape));
            }
        }
        return plain.toString();
    }

    private int codePoint(String value, int from, int digits) {
        try {
            int point = Integer.parseInt(value.substring(from, from + digits), 16);
            if (Character.isValidCodePoint(point)) {
                return point;
            }
        } catch (NumberFormatException | StringIndexOutOfBoundsException e) {
            // refused below with its line
        }
        throw wrong("an escape names no character");
    }

    private char escaped(char escape) {
        int known = "btnfr\"\\".indexOf(escape);
        if (known < 0) {
            throw wrong("a string has an unknown escape");
        }
        return "\b\t\n\f\r\"\\".charAt(known);
    }

    private void endOfLine() {
        skipBlanks();
        if (at < text.length() && text.charAt(at) != '\n' && text.charAt(at) != '#') {
            throw wrong("something follows a value on its line");
        }
    }

    private void skipBlanks() {
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
    }

    /// Skips blanks, line ends and comments.
    private void skipLines() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end;
            } else if (c == '\n') {
                line++;
                at++;
            } else if (c == ' ' || c == '\t') {
                at++;
            } else {
                return;
            }
        }
    }

    private TomlSyntaxException wrong(String problem) {
        return new TomlSyntaxException(line, problem);
    }
}
