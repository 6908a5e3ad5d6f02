package dev.caisson.scan;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Shows of a secret no more than it takes to know it again.
public final class Masks {
    private static final int SHOWN = 2;
    private static final int MARK_BYTES = 3;

    private Masks() {}

    /// Returns the first two characters of a longer text, and how long it is.
    public static String masked(String secret) {
        return secret.length() <= 2 * SHOWN
                ? "***"
                : secret.substring(0, SHOWN).replaceAll("[^!-~]", "?") + "*** (" + secret.length() + " characters)";
    }

    /// Returns 24 bits of a digest: too few to find a random value by, and enough to tell two apart.
    static String mark(String secret) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.ISO_8859_1));
            return HexFormat.of().formatHex(digest, 0, MARK_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
