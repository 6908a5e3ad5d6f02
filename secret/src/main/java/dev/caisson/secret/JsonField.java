package dev.caisson.secret;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Finds one text in a JSON document without making a `String` of it, which could not be cleared.
final class JsonField {
    /// The document is no JSON, or nests too deep.
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed() {
            super("the text is no JSON");
        }
    }

    private static final int DEEPEST = 64;
    private static final int HEXADECIMAL = 16;
    private static final int ESCAPE_DIGITS = 4;
    private static final int LONGEST_UTF8 = 4;
    private static final String ESCAPED = "\"\\/bfnrt";
    private static final String MEANT = "\"\\/\b\f\n\r\t";

    private final byte[] json;
    private int at;
    private @Nullable SecretValue found;

    private JsonField(byte[] json) {
        this.json = json;
    }

    /// Returns the text below the names of objects in each other; nothing if there is none, or it is not a text.
    ///
    /// @throws SecretException SECRET_INVALID if it is empty or too large
    static Optional<SecretValue> text(byte[] json, List<String> path) throws Malformed {
        var reader = new JsonField(json);
        boolean whole = false;
        try {
            reader.value(Optional.of(path), 0);
            if (reader.skip() >= 0) {
                throw new Malformed();
            }
            whole = true;
            return Optional.ofNullable(reader.found);
        } finally {
            if (!whole && reader.found != null) {
                reader.found.close();
            }
        }
    }

    /// Returns the next byte that is no space, without taking it; -1 at the end.
    private int skip() {
        while (at < json.length && (json[at] == ' ' || json[at] == '\t' || json[at] == '\n' || json[at] == '\r')) {
            at++;
        }
        return at < json.length ? json[at] & 0xff : -1;
    }

    private void take(char wanted) throws Malformed {
        if (skip() != wanted) {
            throw new Malformed();
        }
        at++;
    }

    private boolean takes(char wanted) {
        boolean is = skip() == wanted;
        at += is ? 1 : 0;
        return is;
    }

    /// @param path to what is looked for in this value; empty if it is not in it
    private void value(Optional<List<String>> path, int depth) throws Malformed {
        if (depth > DEEPEST) {
            throw new Malformed();
        }
        switch (skip()) {
            case '{' -> object(path, depth);
            case '[' -> {
                at++;
                if (!takes(']')) {
                    do {
                        value(Optional.empty(), depth + 1);
                    } while (takes(','));
                    take(']');
                }
            }
            case '"' -> {
                byte[] text = string();
                try {
                    if (path.isPresent() && path.get().isEmpty()) {
                        found = SecretValue.of(text);
                    }
                } finally {
                    Arrays.fill(text, (byte) 0);
                }
            }
            default -> literal();
        }
    }

    private void object(Optional<List<String>> path, int depth) throws Malformed {
        at++;
        if (takes('}')) {
            return;
        }
        boolean seen = false;
        do {
            if (skip() != '"') {
                throw new Malformed();
            }
            String name = new String(string(), StandardCharsets.UTF_8);
            take(':');
            boolean leads = path.isPresent()
                    && !path.get().isEmpty()
                    && name.equals(path.get().getFirst());
            if (leads && seen) {
                throw new Malformed(); // it has the name twice
            }
            seen |= leads;
            value(leads ? path.map(names -> names.subList(1, names.size())) : Optional.empty(), depth + 1);
        } while (takes(','));
        take('}');
    }

    /// Takes a number, `true`, `false` or `null`.
    private void literal() throws Malformed {
        int from = at;
        while (at < json.length && (Character.isLetterOrDigit(json[at]) || "+-.".indexOf(json[at]) >= 0)) {
            at++;
        }
        if (from == at) {
            throw new Malformed();
        }
    }

    /// Takes a text and returns its UTF-8, which the caller clears.
    private byte[] string() throws Malformed {
        at++;
        byte[] text = new byte[length()];
        try {
            int size = 0;
            while (json[at] != '"') {
                if (json[at] != '\\') {
                    text[size++] = json[at++];
                    continue;
                }
                at++;
                int plain = ESCAPED.indexOf(json[at]);
                if (plain >= 0) {
                    text[size++] = (byte) MEANT.charAt(plain);
                    at++;
                } else {
                    size = utf8(character(), text, size);
                }
            }
            at++;
            return Arrays.copyOf(text, size);
        } finally {
            Arrays.fill(text, (byte) 0);
        }
    }

    /// Returns how many bytes the text has as it is written, up to its end, which there is.
    private int length() throws Malformed {
        for (int i = at; i < json.length; i++) {
            if (json[i] == '"') {
                return i - at;
            }
            if (json[i] >= 0 && json[i] < ' ') {
                break;
            }
            i += json[i] == '\\' ? 1 : 0;
        }
        throw new Malformed();
    }

    private int character() throws Malformed {
        int first = unit();
        if (!Character.isSurrogate((char) first)) {
            return first;
        }
        if (json[at] != '\\') {
            throw new Malformed();
        }
        at++;
        int second = unit();
        if (!Character.isSurrogatePair((char) first, (char) second)) {
            throw new Malformed();
        }
        return Character.toCodePoint((char) first, (char) second);
    }

    /// Takes `uXXXX`. Behind it is at least the end of the text.
    private int unit() throws Malformed {
        if (json[at++] != 'u' || at + ESCAPE_DIGITS >= json.length) {
            throw new Malformed();
        }
        int unit = 0;
        for (int i = 0; i < ESCAPE_DIGITS; i++) {
            int digit = Character.digit(json[at++], HEXADECIMAL);
            if (digit < 0) {
                throw new Malformed();
            }
            unit = unit * HEXADECIMAL + digit;
        }
        return unit;
    }

    private static int utf8(int character, byte[] into, int at) {
        byte[] bytes = new byte[LONGEST_UTF8];
        int size = 0;
        if (character < 0x80) {
            bytes[size++] = (byte) character;
        } else if (character < 0x800) {
            bytes[size++] = (byte) (0xc0 | (character >> 6));
        } else if (character < 0x10000) {
            bytes[size++] = (byte) (0xe0 | (character >> 12));
            bytes[size++] = (byte) (0x80 | ((character >> 6) & 0x3f));
        } else {
            bytes[size++] = (byte) (0xf0 | (character >> 18));
            bytes[size++] = (byte) (0x80 | ((character >> 12) & 0x3f));
            bytes[size++] = (byte) (0x80 | ((character >> 6) & 0x3f));
        }
        if (character >= 0x80) {
            bytes[size++] = (byte) (0x80 | (character & 0x3f));
        }
        System.arraycopy(bytes, 0, into, at, size);
        Arrays.fill(bytes, (byte) 0);
        return at + size;
    }
}
