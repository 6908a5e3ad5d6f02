package dev.caisson.scan;

import dev.caisson.scan.match.Placeholders;
import dev.caisson.scan.match.Randomness;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// Finds a random value that is assigned to a name of secrets, around a word of that name: `name =
/// value`, `"name": "value"`, `<name>value</name>`, `name("value")`.
final class Assignments {
    private static final int LONGEST_NAME = 64;
    private static final int LONGEST_VALUE = 256;
    private static final int SHORTEST_VALUE = 10;
    /// Words of algorithms, types and addresses, which are no part of a random value.
    private static final Pattern WORDS = Pattern.compile(
            "hmac|sha-?[1235]|md5|pbkdf|crc-?[1-6]|aes[-_/]|^rsa|rsa$|oauth|bearer|utf-?8|iso-?8859|https?:|www\\.|\\.(?:com|org|net|java|xml|json|html|pem|txt)\\b"
                    + "|x509|pkcs|base64|uuid|token|secret|passw|credential|config|version|v\\d\\.");
    /// A long word, or several that begin with a capital.
    private static final Pattern SPELLED =
            Pattern.compile("[a-z]{9,}|[A-Z]{10,}|(?:[A-Z][a-z]{2,}){4}|(?:[A-Z][a-z]{3,}){3}");

    /// No value without quotes has one of these.
    private static final String CODE = "()[]{}$<>*?:,;.";
    /// ASCII characters that end a value without quotes.
    private static final boolean[] ENDS = new boolean[128];

    static {
        "\"'`<,;&|#".chars().forEach(c -> ENDS[c] = true);
    }

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
        int start = Operators.valueAfter(bytes, length, end, nameEnd);
        if (start < 0 || start >= length) {
            return Optional.empty();
        }
        start = Operators.slashes(bytes, length, start);
        if (start >= length) {
            return Optional.empty();
        }
        byte quote = bytes[start];
        boolean quoted = quote == '"' || quote == '\'' || quote == '`';
        boolean triple = quoted && start + 2 < length && bytes[start + 1] == quote && bytes[start + 2] == quote;
        int from = triple ? start + 3 : quoted ? start + 1 : start;
        int to = quoted ? quotedEnd(bytes, length, from, quote) : bareEnd(bytes, length, from);
        if (to - from < SHORTEST_VALUE || to - from > LONGEST_VALUE) {
            return Optional.empty();
        }
        String value = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
        return isLikely(value, quoted) && isNamed(bytes, end, nameEnd)
                ? Optional.of(new Value(from, to, value))
                : Optional.empty();
    }

    /// Returns where the name around the word that ends at `end` begins.
    static int nameStart(byte[] bytes, int end) {
        int from = end;
        int least = Math.max(0, end - LONGEST_NAME);
        while (from > least && isName(bytes[from - 1])) {
            from--;
        }
        return from;
    }

    private static boolean isNamed(byte[] bytes, int end, int nameEnd) {
        int from = nameStart(bytes, end);
        String name = new String(bytes, from, nameEnd - from, StandardCharsets.ISO_8859_1);
        return SecretNames.isSecretName(name);
    }

    private static boolean isLikely(String value, boolean quoted) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean plain = c > ' ' && c < 0x7f && c != '\\';
            boolean code = !quoted && CODE.indexOf(c) >= 0;
            if (!plain || code) {
                return false;
            }
        }
        return Randomness.looksRandom(value)
                && SecretNames.isSecretValue(value)
                && !WORDS.matcher(value.toLowerCase(Locale.ROOT)).find()
                && !SPELLED.matcher(value).find()
                && !Placeholders.isPlaceholder(value);
    }

    private static int quotedEnd(byte[] bytes, int length, int from, byte quote) {
        int most = Math.min(length, from + LONGEST_VALUE + 1);
        for (int at = from; at < most; at++) {
            if (bytes[at] == quote) {
                return withoutSlashes(bytes, from, at);
            }
            if (bytes[at] < ' ') {
                return from;
            }
        }
        return from;
    }

    /// Returns the end of a value without the slashes that escape the quote behind it.
    private static int withoutSlashes(byte[] bytes, int from, int end) {
        int at = end;
        while (at > from && bytes[at - 1] == '\\') {
            at--;
        }
        return at;
    }

    private static int bareEnd(byte[] bytes, int length, int from) {
        int at = from;
        int most = Math.min(length, from + LONGEST_VALUE + 1);
        while (at < most && bytes[at] > ' ' && !ENDS[bytes[at]]) {
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
