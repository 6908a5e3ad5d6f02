package dev.caisson.scan;

import dev.caisson.scan.match.Placeholders;
import dev.caisson.scan.match.Randomness;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// Finds a random value that is assigned to a name of secrets, around a word of that name: `name = value`,
/// `"name": "value"`, `<name>value</name>`, `name("value")`.
final class Assignments {
    private static final int LONGEST_NAME = 64;
    private static final int LONGEST_VALUE = 256;
    private static final int SHORTEST_VALUE = 10;
    /// Words of algorithms, types and addresses, which are no part of a random value.
    private static final Pattern WORDS = Pattern.compile(
            "hmac|sha-?[1235]|md5|pbkdf|aes[-_/]|rsa|oauth|bearer|utf-?8|iso-?8859|https?:|www\\.|\\.(?:com|org|net|java|xml|json|html|pem|txt)\\b"
                    + "|x509|pkcs|base64|uuid|token|secret|passw|pwd|credential|auth|config|version|v\\d\\.|[a-z]{9,}");

    private Assignments() {}

    /// A value between two offsets.
    record Value(int from, int to, String text) {}

    /// Returns the value that is assigned to the name around the word that ends at `end`.
    static Optional<Value> at(byte[] bytes, int length, int end) {
        int at = end;
        int most = Math.min(length, end + LONGEST_NAME);
        while (at < most && isName(bytes[at])) {
            at++;
        }
        int nameEnd = at;
        int start = operator(bytes, length, at);
        if (start < 0 || start >= length) {
            return Optional.empty();
        }
        byte quote = bytes[start];
        boolean quoted = quote == '"' || quote == '\'' || quote == '`';
        int from = quoted ? start + 1 : start;
        int to = quoted ? quotedEnd(bytes, length, from, quote) : bareEnd(bytes, length, from);
        if (to - from < SHORTEST_VALUE || to - from > LONGEST_VALUE) {
            return Optional.empty();
        }
        String value = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
        return isLikely(value, quoted) && isNamed(bytes, end, nameEnd)
                ? Optional.of(new Value(from, to, value))
                : Optional.empty();
    }

    private static boolean isNamed(byte[] bytes, int end, int nameEnd) {
        int from = end;
        int least = Math.max(0, end - LONGEST_NAME);
        while (from > least && isName(bytes[from - 1])) {
            from--;
        }
        String name = new String(bytes, from, nameEnd - from, StandardCharsets.ISO_8859_1);
        return SecretNames.isSecretName(name);
    }

    private static boolean isLikely(String value, boolean quoted) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean plain = c > ' ' && c < 0x7f && c != '\\';
            boolean code = !quoted && "()[]{}$<>*?:,;.".indexOf(c) >= 0;
            if (!plain || code) {
                return false;
            }
        }
        return Randomness.looksRandom(value)
                && SecretNames.isSecretValue(value)
                && !WORDS.matcher(value.toLowerCase(Locale.ROOT)).find()
                && !Placeholders.isPlaceholder(value);
    }

    /// Returns the offset at which a value starts, or -1 if no operator stands between.
    private static int operator(byte[] bytes, int length, int nameEnd) {
        int at = nameEnd;
        if (at < length && (bytes[at] == '"' || bytes[at] == '\'')) {
            at++;
        }
        if (at < length && bytes[at] == ']') {
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
            case '=', ':' -> blanks(bytes, length, at + 1);
            case '>' -> at + 1;
            // a call or a pair, whose value is a string
            case '(', ',' -> quoted(bytes, length, blanks(bytes, length, at + 1));
            default -> -1;
        };
    }

    private static int quoted(byte[] bytes, int length, int at) {
        return at < length && (bytes[at] == '"' || bytes[at] == '\'') ? at : -1;
    }

    private static int blanks(byte[] bytes, int length, int from) {
        int at = from;
        int most = Math.min(length, from + 16);
        while (at < most && (bytes[at] == ' ' || bytes[at] == '\t')) {
            at++;
        }
        return at;
    }

    private static int quotedEnd(byte[] bytes, int length, int from, byte quote) {
        int most = Math.min(length, from + LONGEST_VALUE + 1);
        for (int at = from; at < most; at++) {
            if (bytes[at] == quote) {
                return at;
            }
            if (bytes[at] < ' ') {
                return from;
            }
        }
        return from;
    }

    private static int bareEnd(byte[] bytes, int length, int from) {
        int at = from;
        int most = Math.min(length, from + LONGEST_VALUE + 1);
        while (at < most && bytes[at] > ' ' && "\"'`<,;&|#".indexOf(bytes[at]) < 0) {
            at++;
        }
        return at;
    }

    private static boolean isName(byte b) {
        return (b >= 'a' && b <= 'z')
                || (b >= 'A' && b <= 'Z')
                || (b >= '0' && b <= '9')
                || b == '_'
                || b == '.'
                || b == '-';
    }
}
