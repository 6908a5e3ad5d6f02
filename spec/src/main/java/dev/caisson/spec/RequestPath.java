package dev.caisson.spec;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The path of a request, compared with a rule. Servers differ in what they decode first, and in what they do with
/// `..`, `;` and `//`: a path that any of them could take for another one has no plain form.
final class RequestPath {
    private static final int HEX = 16;
    private static final Pattern CODE = Pattern.compile("%[0-9A-Fa-f]{2}");
    private static final Pattern TWICE = Pattern.compile("%25[0-9A-Fa-f]{2}");
    private static final Pattern BETWEEN = Pattern.compile("/|%2F|%5C");
    /// What servers with parameters leave out of each part.
    private static final Pattern PARAMETERS = Pattern.compile("(?:;|%3B)(?:(?!%2F|%5C)[^/])*");
    /// What servers leave out that decode a path before they look for its end.
    private static final Pattern BEHIND = Pattern.compile("(?:%3F|%23).*");
    /// One character of a part that no server takes for a slash.
    private static final String WITHIN = "(?:(?!%2F|%5C)[^/])";

    private RequestPath() {}

    /// Returns a path in the one form that all servers read the same, with no character encoded that needs not be.
    ///
    /// @return empty if there is none
    static Optional<String> plain(String path) {
        if (!path.startsWith("/") || CODE.matcher(path).replaceAll("").indexOf('%') >= 0) {
            return Optional.empty();
        }
        var plain = new StringBuilder();
        var bytes = new ByteArrayOutputStream();
        for (int i = 0; i < path.length(); i++) {
            char one = path.charAt(i);
            int value = one;
            if (one == '%') {
                value = Integer.parseInt(path, i + 1, i + 3, HEX);
                i += 2;
                plain.append(isUnreserved(value) ? String.valueOf((char) value) : "%" + hex(value));
            } else {
                plain.append(one);
            }
            bytes.write(value);
        }
        return Optional.of(plain.toString()).filter(one -> isText(bytes.toByteArray()) && isClear(one));
    }

    private static boolean isUnreserved(int value) {
        return (value >= 'a' && value <= 'z')
                || (value >= 'A' && value <= 'Z')
                || (value >= '0' && value <= '9')
                || (value > 0 && "-._~".indexOf(value) >= 0);
    }

    private static String hex(int value) {
        return (value < HEX ? "0" : "") + Integer.toHexString(value).toUpperCase(Locale.ROOT);
    }

    /// True for UTF-8 without control characters; what else is encoded, servers decode in ways of their own.
    private static boolean isText(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.chars().noneMatch(one -> one < ' ' || (one >= 0x7f && one < 0xa0));
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static boolean isClear(String plain) {
        if (TWICE.matcher(plain).find() || plain.indexOf('\\') >= 0) {
            return false;
        }
        String[] parts = BETWEEN.split(plain.substring(1), -1);
        for (int i = 0; i < parts.length; i++) {
            String part = withoutParameters(parts[i]);
            boolean last = i == parts.length - 1;
            if ((part.isEmpty() && (!last || !parts[i].isEmpty())) || isDots(withoutEnd(part))) {
                return false;
            }
        }
        return true;
    }

    /// True for dots alone, between which some servers drop blanks.
    private static boolean isDots(String part) {
        String dots = part.replace("%20", "");
        return !dots.isEmpty() && dots.chars().allMatch(one -> one == '.');
    }

    private static String withoutParameters(String path) {
        return PARAMETERS.matcher(path).replaceAll("");
    }

    private static String withoutEnd(String path) {
        return BEHIND.matcher(path).replaceFirst("");
    }

    /// True if a plain path is one that a plain rule names, also for servers that leave a part of it out: `*`
    /// at the end is all that may follow, `*` within is at least one character of one part.
    static boolean matches(String rule, String plain) {
        return isNamed(rule, plain)
                && isNamed(withoutParameters(rule), withoutParameters(plain))
                && isNamed(withoutEnd(rule), withoutEnd(plain));
    }

    private static boolean isNamed(String rule, String plain) {
        boolean open = rule.endsWith("/*");
        String closed = open ? rule.substring(0, rule.length() - 1) : rule;
        String pattern =
                Arrays.stream(closed.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(WITHIN + "+"));
        return Pattern.matches(pattern + (open ? ".*" : ""), plain);
    }
}
