package dev.caisson.scan.token;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/// The block of a private key in PEM, RFC 7468, looked into as far as it takes to know that it is one.
/// @param kind as a sentence names it
/// @param encrypted if it takes a passphrase to use it
public record PrivateKeyBlock(String kind, boolean encrypted) {
    private static final byte[] OPENSSH = "openssh-key-v1\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] PLAIN_CIPHER = {0, 0, 0, 4, 'n', 'o', 'n', 'e'};
    private static final int SEQUENCE = 0x30;
    private static final int LEAST_BYTES = 24;

    /// Returns the key; empty if the block holds none.
    /// @param block from its first to its last line; a line may end in an escape of a string
    public static Optional<PrivateKeyBlock> parse(String block) {
        String text = block.replace("\\r", "").replace("\\n", "\n").replace("\\/", "/");
        int titleEnd = text.indexOf("-----", 10);
        if (titleEnd < 0) {
            return Optional.empty();
        }
        String title = text.substring("-----BEGIN ".length(), titleEnd);
        int end = text.indexOf("-----END", titleEnd);
        String body = text.substring(titleEnd + 5, end < 0 ? text.length() : end);
        boolean encryptedByHeader = body.contains("ENCRYPTED");
        // headers end in an empty line, and only they have colons
        if (body.indexOf(':') >= 0) {
            int empty = body.indexOf("\n\n");
            body = empty < 0 ? "" : body.substring(empty);
        }
        if (title.startsWith("PGP")) {
            return isSecretKeyPacket(body)
                    ? Optional.of(new PrivateKeyBlock("OpenPGP private key", false))
                    : Optional.empty();
        }
        byte[] bytes = decode(body);
        if (bytes.length < LEAST_BYTES) {
            return Optional.empty();
        }
        if (startsWith(bytes, OPENSSH, 0)) {
            return Optional.of(
                    new PrivateKeyBlock("OpenSSH private key", !startsWith(bytes, PLAIN_CIPHER, OPENSSH.length)));
        }
        boolean encrypted = encryptedByHeader || title.startsWith("ENCRYPTED");
        // an old encrypted key is encrypted as a whole
        return encryptedByHeader || isSequence(bytes)
                ? Optional.of(new PrivateKeyBlock(named(title), encrypted))
                : Optional.empty();
    }

    private static String named(String title) {
        String kind = title.replace("PRIVATE KEY", "").replace("ENCRYPTED", "").strip();
        return (kind.isEmpty() ? "" : kind + " ") + "private key";
    }

    /// True if the text begins with a line of base 64, and that with the tag of a secret key, RFC 9580,
    /// 4.2.
    private static boolean isSecretKeyPacket(String body) {
        String line = body.strip().lines().findFirst().orElse("");
        if (!line.matches("[A-Za-z0-9+/]{40,76}={0,2}")) {
            return false;
        }
        int first = decode(line)[0] & 0xff;
        return (first & 0xfc) == 0x94 || first == 0xc5;
    }

    private static byte[] decode(String body) {
        var digits = new StringBuilder();
        for (int at = 0; at < body.length(); at++) {
            char c = body.charAt(at);
            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/') {
                digits.append(c);
            }
        }
        digits.setLength(digits.length() / 4 * 4);
        return Base64.getDecoder().decode(digits.toString());
    }

    /// A DER sequence whose length is that of the rest, as far as it was there.
    private static boolean isSequence(byte[] bytes) {
        if (bytes[0] != SEQUENCE) {
            return false;
        }
        int first = bytes[1] & 0xff;
        int length =
                first == 0x81 ? bytes[2] & 0xff : first == 0x82 ? ((bytes[2] & 0xff) << 8) | (bytes[3] & 0xff) : first;
        int header = first == 0x81 ? 3 : first == 0x82 ? 4 : 2;
        return length >= LEAST_BYTES && length + header >= bytes.length - 3;
    }

    private static boolean startsWith(byte[] bytes, byte[] prefix, int from) {
        return bytes.length >= from + prefix.length
                && Arrays.equals(bytes, from, from + prefix.length, prefix, 0, prefix.length);
    }
}
