package dev.caisson.scan;

import dev.caisson.scan.token.CheckDigits;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Fills in the templates of samples, so that no file holds anything that looks like a secret: `{w36}` is 36 random
/// characters of a class, and the words below are whole values.
final class Samples {
    private static final Pattern SLOT = Pattern.compile("(?<!\\$)\\{([A-Za-z][A-Za-z-]*)(\\d*)\\}");
    private static final String LOWER = "abcdefghijklmnopqrstuvwxyz";
    private static final String UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private static final String DIGITS = "0123456789";

    private final Random random;

    Samples(long seed) {
        random = new Random(seed);
    }

    String fill(String template) {
        Matcher slot = SLOT.matcher(template);
        var text = new StringBuilder();
        while (slot.find()) {
            var before = new StringBuilder();
            slot.appendReplacement(before, "");
            text.append(before);
            text.append(
                    slot.group(2).isEmpty()
                            ? word(slot.group(1), text)
                            : some(slot.group(1), Integer.parseInt(slot.group(2))));
        }
        slot.appendTail(text);
        return text.toString();
    }

    private String some(String kind, int count) {
        String alphabet = switch (kind) {
            case "w" -> LOWER + UPPER + DIGITS;
            case "L" -> LOWER + UPPER;
            case "h" -> DIGITS + "abcdef";
            case "H" -> DIGITS + "ABCDEF";
            case "d" -> DIGITS;
            case "u" -> "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
            case "U" -> UPPER + DIGITS;
            case "l" -> LOWER + DIGITS;
            case "s" -> LOWER + UPPER + DIGITS + "_-";
            case "b" -> LOWER + UPPER + DIGITS + "+/";
            case "A" -> "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
            default -> throw new IllegalArgumentException("no class " + kind);
        };
        var text = new StringBuilder();
        while (text.length() < count) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        // an end in a letter or digit, as nearly all have
        if (alphabet.length() > 62 && count > 0) {
            text.setCharAt(count - 1, 'k');
        }
        return text.toString();
    }

    private String word(String word, CharSequence before) {
        String text = before.toString();
        return switch (word) {
            case "crc" -> CheckDigits.base62(text.substring(text.lastIndexOf('_') + 1));
            case "hexcrc" -> "_" + CheckDigits.hexadecimal(text.substring(text.lastIndexOf("glsa_")));
            case "jwt" ->
                token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{\"sub\":\"" + some("w", 12) + "\",\"exp\":4102444800}");
            case "jwt-forever" -> token("{\"alg\":\"RS256\"}", "{\"iss\":\"" + some("w", 12) + "\"}");
            case "jwt-expired" ->
                token("{\"alg\":\"HS256\"}", "{\"sub\":\"" + some("w", 12) + "\",\"exp\":1500000000}");
            case "jwt-other" -> token("{\"kid\":\"HS256\"}", "{\"sub\":\"" + some("w", 12) + "\"}");
            case "pem" -> pem("\n");
            case "pem-escaped" -> pem("\\n");
            case "pem-openssh" -> openSsh();
            default -> throw new IllegalArgumentException("no sample " + word);
        };
    }

    private String token(String header, String payload) {
        Base64.Encoder url = Base64.getUrlEncoder().withoutPadding();
        return url.encodeToString(header.getBytes(StandardCharsets.UTF_8)) + "."
                + url.encodeToString(payload.getBytes(StandardCharsets.UTF_8)) + "." + some("w", 43);
    }

    private static String pem(String lineEnd) {
        try {
            byte[] key = KeyPairGenerator.getInstance("EC")
                    .generateKeyPair()
                    .getPrivate()
                    .getEncoded();
            String block = "-----BEGIN PRIVATE KEY-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key)
                    + "\n-----END PRIVATE KEY-----\n";
            return block.replace("\n", lineEnd);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private String openSsh() {
        byte[] start = "openssh-key-v1\0\0\0\0\4none\0\0\0\4none\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);
        var key = Arrays.copyOf(start, 300);
        for (int at = start.length; at < key.length; at++) {
            key[at] = (byte) random.nextInt();
        }
        return "-----BEGIN OPENSSH PRIVATE KEY-----\n"
                + Base64.getMimeEncoder(70, new byte[] {'\n'}).encodeToString(key)
                + "\n-----END OPENSSH PRIVATE KEY-----\n";
    }
}
