package dev.caisson.image;

import dev.caisson.text.Quoted;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// The SHA-256 of some content, written `sha256:` and 64 lower-case hexadecimal digits.
///
/// @param hex the digits
public record Digest(String hex) implements Comparable<Digest> {
    private static final int DIGITS = 64;
    private static final String PREFIX = "sha256:";

    public Digest {
        if (!isHex(hex)) {
            throw new IllegalArgumentException("not the digits of a SHA-256: " + Quoted.of(hex));
        }
    }

    /// An image names many digests, and a command is short: an expression would take longer.
    private static boolean isHex(String text) {
        for (int i = 0; i < text.length(); i++) {
            char one = text.charAt(i);
            if ((one < '0' || one > '9') && (one < 'a' || one > 'f')) {
                return false;
            }
        }
        return text.length() == DIGITS;
    }

    /// Returns the digest of these bytes.
    public static Digest of(byte[] content) {
        return finish(algorithm().digest(content));
    }

    static Digest finish(byte[] hash) {
        return new Digest(HexFormat.of().formatHex(hash));
    }

    static MessageDigest algorithm() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    @Override
    public int compareTo(Digest other) {
        return hex.compareTo(other.hex);
    }

    @Override
    public String toString() {
        return PREFIX + hex;
    }
}
