package dev.caisson.scan.token;

import java.util.Locale;
import java.util.Optional;

/// Identifiers of AWS access keys, which hold the number of their account.
public final class AwsKeyId {
    private static final int PREFIX = 4;
    private static final String BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private static final long MOST_ACCOUNT = 999_999_999_999L;

    private AwsKeyId() {}

    /// Returns the twelve digits of the account; empty if the identifier holds no account number.
    public static Optional<String> account(String id) {
        long bits = 0;
        for (int at = PREFIX; at < PREFIX + 10; at++) {
            int digit = at < id.length() ? BASE_32.indexOf(id.charAt(at)) : -1;
            if (digit < 0) {
                return Optional.empty();
            }
            bits = bits << 5 | digit;
        }
        // the first six bytes are 48 of these 50 bits; the first of the 48 and the last seven belong to something else
        long account = bits >> 2 >> 7 & 0xff_ffff_ffffL;
        return account > MOST_ACCOUNT ? Optional.empty() : Optional.of(String.format(Locale.ROOT, "%012d", account));
    }
}
