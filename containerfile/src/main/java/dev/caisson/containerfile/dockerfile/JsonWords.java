package dev.caisson.containerfile.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The exec form of an instruction: a JSON array of strings. Text that is not exactly that is the shell form, as for
/// every builder.
public final class JsonWords {
    private final LogicalText text;
    private int at;

    private JsonWords(LogicalText text) {
        this.text = text;
    }

    /// The words of an array; empty for any other text.
    public static Optional<List<Word>> parse(LogicalText text) {
        if (text.length() == 0 || text.charAt(0) != '[') {
            return Optional.empty();
        }
        return new JsonWords(text).array();
    }

    private Optional<List<Word>> array() {
        List<Word> words = new ArrayList<>();
        at = 1;
        skipSpace();
        if (peek() == ']') {
            at++;
            return atEnd() ? Optional.of(words) : Optional.empty();
        }
        while (true) {
            int start = at;
            String value = string();
            if (value == null) {
                return Optional.empty();
            }
            words.add(new Word(value, text.text().substring(start, at), text.place(start, at)));
            skipSpace();
            char next = peek();
            at++;
            if (next == ']') {
                return atEnd() ? Optional.of(List.copyOf(words)) : Optional.empty();
            }
            if (next != ',') {
                return Optional.empty();
            }
            skipSpace();
        }
    }

    private @Nullable String string() {
        if (peek() != '"') {
            return null;
        }
        at++;
        StringBuilder value = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return value.toString();
            }
            if (c < 0x20) {
                return null;
            }
            if (c != '\\') {
                value.append(c);
            } else if (!escaped(value)) {
                return null;
            }
        }
        return null;
    }

    private boolean escaped(StringBuilder value) {
        char c = peek();
        at++;
        switch (c) {
            case '"', '\\', '/' -> value.append(c);
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'n' -> value.append('\n');
            case 'r' -> value.append('\r');
            case 't' -> value.append('\t');
            case 'u' -> {
                int code = 0;
                for (int digit = 0; digit < 4; digit++) {
                    int hex = peek() < 0x80 ? Character.digit(peek(), 16) : -1;
                    if (hex < 0) {
                        return false;
                    }
                    code = code * 16 + hex;
                    at++;
                }
                value.append((char) code);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean atEnd() {
        skipSpace();
        return at == text.length();
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : 0;
    }
}
