package dev.caisson.scan.token;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.zip.CRC32;

/// Check digits at the end of tokens.
public final class CheckDigits {
    private static final String BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int DIGITS = 6;
    private static final int HEXADECIMAL_DIGITS = 8;

    private CheckDigits() {}

    /// The CRC-32 of a text in six digits of base 62, as GitHub and npm put it behind a token's random part.
    public static String base62(String random) {
        long rest = crc(random);
        var digits = new char[DIGITS];
        for (int at = DIGITS - 1; at >= 0; at--) {
            digits[at] = BASE_62.charAt((int) (rest % BASE_62.length()));
            rest /= BASE_62.length();
        }
        return new String(digits);
    }

    /// The CRC-32 of a text in eight hexadecimal digits, as Grafana puts it behind a token and `_`.
    public static String hexadecimal(String before) {
        return String.format(Locale.ROOT, "%08x", crc(before));
    }

    /// True if the last six digits check what stands between the first `_` and them.
    public static boolean endsInBase62(String token) {
        int from = token.indexOf('_') + 1;
        int end = token.length() - DIGITS;
        return from > 0 && end > from && token.substring(end).equals(base62(token.substring(from, end)));
    }

    /// True if the last eight digits check all before the `_` that separates them.
    public static boolean endsInHexadecimal(String token) {
        int end = token.length() - HEXADECIMAL_DIGITS - 1;
        return end > 0
                && token.charAt(end) == '_'
                && token.substring(end + 1).equalsIgnoreCase(hexadecimal(token.substring(0, end)));
    }

    private static long crc(String text) {
        var crc = new CRC32();
        crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
        return crc.getValue();
    }
}
