package dev.caisson.scan;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Finds where a value begins that is assigned to a name, in the ways of programs, settings and commands.
final class Operators {
    private static final int MOST_BLANKS = 16;
    private static final int MOST_BETWEEN = 48;
    private static final byte[] VALUE = {'v', 'a', 'l', 'u', 'e'};
    private static final byte[] DEFAULT = {'d', 'e', 'f', 'a', 'u', 'l', 't'};
    private static final byte[] KEY_END = "</key>".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] STRING = "<string>".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ENV = {'\n', 'E', 'N', 'V', ' '};
    private static final byte[] DEFINE = {'d', 'e', 'f', 'i', 'n', 'e'};

    private Operators() {}

    /// Returns the offset at which the value starts, or -1 if no operator stands between.
    /// @param end of a word of the name
    /// @param nameEnd where the name itself ends
    static int valueAfter(byte[] bytes, int length, int end, int nameEnd) {
        int at = slashes(bytes, length, nameEnd);
        if (at < length && (bytes[at] == '"' || bytes[at] == '\'')) {
            at++;
            int field = field(bytes, length, at);
            if (field >= 0) {
                return field;
            }
        }
        if (at < length && (bytes[at] == ']' || bytes[at] == '}')) {
            at++;
        }
        at = blanks(bytes, length, at);
        if (at >= length) {
            return -1;
        }
        byte first = bytes[at];
        byte second = at + 1 < length ? bytes[at + 1] : 0;
        boolean pair = (first == ':' && second == '=') || (first == '=' && second == '>');
        boolean comparison = (first == '=' && second == '=') || (first == ':' && second == ':');
        if (comparison) {
            return -1;
        }
        if (pair) {
            return blanks(bytes, length, at + 2);
        }
        return switch (first) {
            case '=' -> blanks(bytes, length, at + 1);
            case ':' -> {
                int typed = typed(bytes, length, at + 1);
                yield typed >= 0 ? typed : block(bytes, length, blanks(bytes, length, at + 1));
            }
            case '>' -> at + 1;
            // a call or a pair, whose value is a string
            case '(', ',' -> quoted(bytes, length, blanks(bytes, length, at + 1));
            case '\r', '\n' -> field(bytes, length, at);
            case '<' -> element(bytes, length, at);
            default -> {
                int word = at > nameEnd ? word(bytes, length, end, at) : -1;
                yield word >= 0 ? word : typed(bytes, length, at);
            }
        };
    }

    /// The string of a variable whose type stands behind its name: `token: String = "…"`, `Token string = "…"`,
    /// `token[] = "…"`, `Token { get; set; } = "…"`.
    private static int typed(byte[] bytes, int length, int from) {
        boolean property = from < length && bytes[from] == '{';
        int most = Math.min(length, from + MOST_BETWEEN);
        int at = from;
        while (at < most && isOfType(bytes[at], property)) {
            at++;
        }
        return at + 1 < most && bytes[at] == '=' && bytes[at + 1] != '='
                ? quoted(bytes, length, blanks(bytes, length, at + 1))
                : -1;
    }

    private static boolean isOfType(byte b, boolean property) {
        boolean word = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
        return word || " \t_.:&<>?*[]'".indexOf(b) >= 0 || (property && "{};".indexOf(b) >= 0);
    }

    /// The value of a property list, whose name stands in an element of its own.
    private static int element(byte[] bytes, int length, int from) {
        int at = from + KEY_END.length;
        if (!starts(bytes, length, from, KEY_END)) {
            return -1;
        }
        int most = Math.min(length, at + MOST_BETWEEN);
        while (at < most && bytes[at] <= ' ' && bytes[at] > 0) {
            at++;
        }
        return starts(bytes, length, at, STRING) ? at + STRING.length : -1;
    }

    private static boolean starts(byte[] bytes, int length, int at, byte[] text) {
        return at + text.length <= length && Arrays.equals(bytes, at, at + text.length, text, 0, text.length);
    }

    /// Returns the offset behind the slashes that escape a quote in a string.
    static int slashes(byte[] bytes, int length, int from) {
        int at = from;
        while (at < length && at < from + 3 && bytes[at] == '\\') {
            at++;
        }
        return at;
    }

    /// The value of a pair of fields, one of which has the name and one called `value` or `default` the value.
    private static int field(byte[] bytes, int length, int from) {
        int at = from;
        int most = Math.min(length, from + MOST_BETWEEN);
        while (at < most && (bytes[at] <= ' ' || ",\"'{".indexOf(bytes[at]) >= 0)) {
            at++;
        }
        boolean value = holds(bytes, length, at, VALUE);
        if (at == from || !(value || holds(bytes, length, at, DEFAULT))) {
            return -1;
        }
        at += value ? VALUE.length : DEFAULT.length;
        if (at < length && (bytes[at] == '"' || bytes[at] == '\'')) {
            at++;
        }
        at = blanks(bytes, length, at);
        return at < length && (bytes[at] == ':' || bytes[at] == '=') ? blanks(bytes, length, at + 1) : -1;
    }

    /// The value of YAML that stands in lines of its own.
    private static int block(byte[] bytes, int length, int from) {
        int at = from;
        if (at >= length || (bytes[at] != '|' && bytes[at] != '>')) {
            return from;
        }
        at++;
        while (at < length && (bytes[at] == '-' || bytes[at] == '+' || bytes[at] == '\r')) {
            at++;
        }
        return at < length && bytes[at] == '\n' ? blanks(bytes, length, at + 1) : from;
    }

    /// The word behind an option of a command or a variable of a Dockerfile, or the text of a definition of C.
    private static int word(byte[] bytes, int length, int end, int at) {
        int from = Assignments.nameStart(bytes, end);
        if (from + 1 < end && bytes[from] == '-' && bytes[from + 1] == '-') {
            return at;
        }
        int line = Math.max(0, from - ENV.length);
        boolean first = from == ENV.length - 1 && starts(bytes, length, 0, Arrays.copyOfRange(ENV, 1, ENV.length));
        if (first || starts(bytes, length, line, ENV)) {
            return at;
        }
        int before = from - 1 - DEFINE.length;
        return before >= 0 && bytes[from - 1] <= ' ' && holds(bytes, length, before, DEFINE)
                ? quoted(bytes, length, at)
                : -1;
    }

    private static boolean holds(byte[] bytes, int length, int at, byte[] word) {
        if (at + word.length > length) {
            return false;
        }
        for (int i = 0; i < word.length; i++) {
            if ((bytes[at + i] | 0x20) != word[i]) {
                return false;
            }
        }
        return true;
    }

    private static int quoted(byte[] bytes, int length, int at) {
        return at < length && (bytes[at] == '"' || bytes[at] == '\'') ? at : -1;
    }

    private static int blanks(byte[] bytes, int length, int from) {
        int at = from;
        int most = Math.min(length, from + MOST_BLANKS);
        while (at < most && (bytes[at] == ' ' || bytes[at] == '\t')) {
            at++;
        }
        return at;
    }
}
