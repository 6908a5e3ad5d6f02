package dev.caisson.build;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// A SHA-256 over fields, each with its length, so that no two lists of fields are the same bytes.
final class ContentHash {
    private final MessageDigest digest = algorithm();

    static MessageDigest algorithm() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    ContentHash add(String field) {
        // names of files may hold halves of surrogate pairs, which UTF-8 has not
        return add(field.getBytes(StandardCharsets.UTF_16BE));
    }

    ContentHash add(byte[] field) {
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(field.length).flip());
        digest.update(field);
        return this;
    }

    ContentHash add(long field) {
        return add(ByteBuffer.allocate(Long.BYTES).putLong(field).array());
    }

    /// Ends it, and returns its hexadecimal digits.
    String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
