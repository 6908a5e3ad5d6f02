package dev.caisson.build;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// A SHA-256 over fields, each with its length, so that no two lists of fields are the same bytes.
final class ContentHash {
    private static final int BUFFER = 4 << 10;

    private final MessageDigest digest = algorithm();
    private final byte[] buffer = new byte[BUFFER]; // as a digest takes many small pieces slowly
    private int filled;

    static MessageDigest algorithm() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /// Adds the UTF-16 units of a text, big end first. Names of files may hold halves of surrogate pairs, which an
    /// encoder of the platform would take for one another.
    ContentHash add(String field) {
        number((long) field.length() * Character.BYTES, Integer.BYTES);
        for (int i = 0; i < field.length(); i++) {
            number(field.charAt(i), Character.BYTES);
        }
        return this;
    }

    ContentHash add(byte[] field) {
        number(field.length, Integer.BYTES);
        flush();
        digest.update(field);
        return this;
    }

    ContentHash add(long field) {
        number(Long.BYTES, Integer.BYTES);
        number(field, Long.BYTES);
        return this;
    }

    /// @param bytes that the number has, big end first
    private void number(long number, int bytes) {
        if (filled + bytes > BUFFER) {
            flush();
        }
        for (int shift = (bytes - 1) * Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
            buffer[filled++] = (byte) (number >> shift);
        }
    }

    private void flush() {
        digest.update(buffer, 0, filled);
        filled = 0;
    }

    /// Ends it, and returns its hexadecimal digits.
    String hex() {
        flush();
        return HexFormat.of().formatHex(digest.digest());
    }
}
