package dev.caisson.image;

import dev.caisson.text.Quoted;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The SHA-256 of some content, written `sha256:` and 64 lower-case hexadecimal digits.
///
/// @param hex the digits
public record Digest(String hex) implements Comparable<Digest> {
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");
    private static final String PREFIX = "sha256:";

    public Digest {
        if (!HEX.matcher(hex).matches()) {
            throw new IllegalArgumentException("not the digits of a SHA-256: " + Quoted.of(hex));
        }
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
