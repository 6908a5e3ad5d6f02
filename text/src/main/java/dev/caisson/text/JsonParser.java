package dev.caisson.text;

import dev.caisson.text.MalformedJsonException.Code;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Walks a JSON text once, from the left. Recursion is bounded by the depth limit.
final class JsonParser {
    private static final int LONGEST_NUMBER = 1_000;
    /// Beyond four digits a short number would need much memory once it is written out.
    private static final int LONGEST_EXPONENT = 4;
    /// A whole number of so many characters always fits a long.
    private static final int SAFE_DIGITS = 18;

    private static final int SHOWN_KEY = 40;

    private final String text;
    private final Json.Limits limits;
    private int at;
    private int depth;
    private int values;

    JsonParser(String text, Json.Limits limits) {
        this.text = text;
        this.limits = limits;
    }

    @Nullable
    Object document() {
        if (text.startsWith("\ufeff")) {
            throw fault(Code.ENCODING, "begins with a byte order mark");
        }
        skipSpace();
        Object value = value();
        skipSpace();
        if (at < text.length()) {
            throw fault(Code.SYNTAX, "is followed by something");
        }
        return value;
    }

    private @Nullable Object value() {
        if (++values > limits.values()) {
            throw fault(Code.TOO_LARGE, "has more than " + limits.values() + " values");
        }
        return switch (peek()) {
            case '{' -> object();
            case '[' -> list();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
            default -> throw fault(Code.SYNTAX, at < text.length() ? "has no value" : "is cut off");
        };
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        if (!text.startsWith(word, at)) {
            throw fault(Code.SYNTAX, "has an unknown word");
        }
        at += word.length();
        return value;
    }

    private Map<String, @Nullable Object> object() {
        enter();
        if (skipTo('}')) {
            leave();
            return Map.of();
        }
        var members = new LinkedHashMap<String, @Nullable Object>();
        do {
            skipSpace();
            int start = at;
            if (peek() != '"') {
                throw missing("a key in quotation marks");
            }
            String key = string();
            if (members.containsKey(key)) {
                at = start;
                String shown = key.codePointCount(0, key.length()) > SHOWN_KEY
                        ? key.substring(0, key.offsetByCodePoints(0, SHOWN_KEY)) + "…"
                        : key;
                throw fault(Code.DUPLICATE_KEY, "has the key " + Quoted.of(shown) + " twice");
            }
            skipSpace();
            if (peek() != ':') {
                throw missing("a colon");
            }
            at++;
            skipSpace();
            members.put(key, value());
        } while (hasNext('}'));
        leave();
        return Collections.unmodifiableMap(members);
    }

    private List<@Nullable Object> list() {
        enter();
        if (skipTo(']')) {
            leave();
            return List.of();
        }
        var elements = new ArrayList<@Nullable Object>();
        do {
            skipSpace();
            elements.add(value());
        } while (hasNext(']'));
        leave();
        return Collections.unmodifiableList(elements);
    }

    private void enter() {
        if (++depth > limits.depth()) {
            throw fault(Code.TOO_DEEP, "is nested deeper than " + limits.depth() + " levels");
        }
        at++;
    }

    private void leave() {
        depth--;
    }

    /// Steps over the bracket that closes, if nothing stands before it.
    private boolean skipTo(char close) {
        skipSpace();
        if (peek() != close) {
            return false;
        }
        at++;
        return true;
    }

    private boolean hasNext(char close) {
        skipSpace();
        char next = peek();
        if (next != ',' && next != close) {
            throw missing("a comma or " + close);
        }
        at++;
        return next == ',';
    }

    private String string() {
        int start = ++at;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                return text.substring(start, at++);
            }
            if (c == '\\') {
                return escapedString(start);
            }
            plain(c);
        }
        throw fault(Code.SYNTAX, "is cut off");
    }

    /// Reads a string on from its first backslash.
    private String escapedString(int start) {
        var value = new StringBuilder().append(text, start, at);
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                at++;
                return value.toString();
            }
            if (c == '\\') {
                escape(value);
            } else {
                int from = at;
                plain(c);
                value.append(text, from, at);
            }
        }
        throw fault(Code.SYNTAX, "is cut off");
    }

    /// Steps over a character that stands for itself.
    private void plain(char c) {
        if (c < ' ') {
            throw fault(Code.SYNTAX, "has a control character in a string");
        }
        if (Character.isSurrogate(c)) {
            if (!Character.isHighSurrogate(c)
                    || at + 1 == text.length()
                    || !Character.isLowSurrogate(text.charAt(at + 1))) {
                throw fault(Code.ENCODING, "has half of a surrogate pair");
            }
            at++;
        }
        at++;
    }

    private void escape(StringBuilder value) {
        int start = at++;
        char c = peek();
        at++;
        switch (c) {
            case '"', '\\', '/' -> value.append(c);
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'n' -> value.append('\n');
            case 'r' -> value.append('\r');
            case 't' -> value.append('\t');
            case 'u' -> unicode(start, value);
            default -> {
                at = start;
                throw fault(Code.SYNTAX, "has an unknown escape");
            }
        }
    }

    private void unicode(int start, StringBuilder value) {
        char unit = fourDigits();
        value.append(unit);
        if (!Character.isSurrogate(unit)) {
            return;
        }
        if (Character.isHighSurrogate(unit) && text.startsWith("\\u", at)) {
            at += 2;
            char low = fourDigits();
            if (Character.isLowSurrogate(low)) {
                value.append(low);
                return;
            }
        }
        at = start;
        throw fault(Code.ENCODING, "has half of a surrogate pair");
    }

    private char fourDigits() {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
            char c = peek();
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw fault(Code.SYNTAX, "has an escape without four hexadecimal digits");
            }
            unit = unit * 16 + digit;
            at++;
        }
        return (char) unit;
    }

    private Number number() {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        if (peek() == '0') {
            at++;
            if (isDigit(peek())) {
                throw fault(Code.SYNTAX, "has a number with a leading zero");
            }
        } else {
            digits();
        }
        boolean whole = true;
        if (peek() == '.') {
            whole = false;
            at++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            whole = false;
            at++;
            exponent();
        }
        int length = at - start;
        if (length > LONGEST_NUMBER) {
            at = start;
            throw fault(Code.TOO_LARGE, "has a number of more than " + LONGEST_NUMBER + " characters");
        }
        String number = text.substring(start, at);
        if (whole && length <= SAFE_DIGITS) {
            return Long.parseLong(number);
        }
        var exact = new BigDecimal(number);
        return whole && exact.toBigInteger().bitLength() < Long.SIZE ? (Number) exact.longValue() : exact;
    }

    private void exponent() {
        if (peek() == '+' || peek() == '-') {
            at++;
        }
        int start = at;
        digits();
        while (start < at - 1 && text.charAt(start) == '0') {
            start++;
        }
        if (at - start > LONGEST_EXPONENT) {
            throw fault(Code.TOO_LARGE, "has an exponent of more than " + LONGEST_EXPONENT + " digits");
        }
    }

    private void digits() {
        if (!isDigit(peek())) {
            throw missing("a digit");
        }
        while (isDigit(peek())) {
            at++;
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private void skipSpace() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    /// The next character, or NUL at the end; a NUL in the text fits nowhere in the grammar either.
    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private MalformedJsonException missing(String what) {
        return fault(Code.SYNTAX, at < text.length() ? "lacks " + what : "is cut off");
    }

    private MalformedJsonException fault(Code code, String fault) {
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < Math.min(at, text.length()); i++) {
            if (text.charAt(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        return new MalformedJsonException(code, fault, line, Math.min(at, text.length()) - lineStart + 1);
    }
}
