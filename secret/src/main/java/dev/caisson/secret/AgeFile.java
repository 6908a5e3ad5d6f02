package dev.caisson.secret;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Binary files of age, version 1 of its format: a header with the file key wrapped for each recipient and a MAC, then
/// the content in chunks of 64 KiB, of which the last is marked.
final class AgeFile {
    /// Whoever can wrap a file key.
    interface Wrapper {
        Stanza wrap(byte[] fileKey);
    }

    /// Whoever may be able to unwrap one.
    interface Identity {
        /// Returns the file key, or nothing if the stanza is for others.
        Optional<byte[]> unwrap(Stanza stanza);
    }

    static final int FILE_KEY = 16;
    /// A header has a stanza for each recipient, of about 120 bytes.
    private static final int MOST_HEADER = 16 * 1024;
    private static final String VERSION = "age-encryption.org/v1";
    private static final String END = "---";
    private static final int NONCE = 16;
    private static final int CHUNK = 64 * 1024;
    private static final byte[] NO_SALT = {};

    private AgeFile() {}

    /// Encrypts for public keys.
    static byte[] encrypt(SecretValue content, List<Recipient> recipients) {
        return encryptBy(content, recipients.stream().map(RecipientKey::new).toList());
    }

    static byte[] encryptBy(SecretValue content, List<? extends Wrapper> recipients) {
        var random = new SecureRandom();
        byte[] fileKey = new byte[FILE_KEY];
        byte[] nonce = new byte[NONCE];
        random.nextBytes(fileKey);
        random.nextBytes(nonce);
        try {
            var header = new StringBuilder(VERSION).append('\n');
            recipients.forEach(recipient -> recipient.wrap(fileKey).appendTo(header));
            header.append(END);
            byte[] mac = mac(fileKey, header.toString());
            header.append(' ').append(Stanza.encode(mac)).append('\n');
            var file = new ByteArrayOutputStream();
            file.writeBytes(header.toString().getBytes(StandardCharsets.US_ASCII));
            file.writeBytes(nonce);
            sealChunks(content, fileKey, nonce, file);
            return file.toByteArray();
        } finally {
            Arrays.fill(fileKey, (byte) 0);
        }
    }

    private static void sealChunks(SecretValue content, byte[] fileKey, byte[] nonce, ByteArrayOutputStream file) {
        byte[] key = Kdf.hkdf(fileKey, nonce, "payload");
        byte[] chunk = new byte[Math.min(CHUNK, content.size())];
        try {
            int at = 0;
            int index = 0;
            do {
                int length = Math.min(CHUNK, content.size() - at);
                content.get(at, chunk, 0, length);
                at += length;
                file.writeBytes(AgeCipher.seal(key, counter(index++, at == content.size()), chunk, 0, length));
            } while (at < content.size());
        } finally {
            Arrays.fill(key, (byte) 0);
            Arrays.fill(chunk, (byte) 0);
        }
    }

    /// @throws MalformedAgeException if it is none, was changed or is not for `identity`
    static SecretValue decrypt(byte[] file, Identity identity) {
        int start = headerEnd(file);
        List<String> lines = List.of(new String(file, 0, start, StandardCharsets.ISO_8859_1).split("\n", -1));
        List<Stanza> stanzas = stanzas(lines);
        byte[] fileKey = stanzas.stream()
                .flatMap(stanza -> identity.unwrap(stanza).stream())
                .findFirst()
                .orElseThrow(MalformedAgeException::new);
        try {
            String last = lines.get(lines.size() - 2);
            String covered =
                    new String(file, 0, start - (last.length() + 1 - END.length()), StandardCharsets.ISO_8859_1);
            if (!MessageDigest.isEqual(mac(fileKey, covered), Stanza.decode(last.substring(END.length() + 1)))) {
                throw new MalformedAgeException();
            }
            return openChunks(file, start, fileKey);
        } finally {
            Arrays.fill(fileKey, (byte) 0);
        }
    }

    private static SecretValue openChunks(byte[] file, int start, byte[] fileKey) {
        int sealed = file.length - start - NONCE;
        int chunks = (sealed + CHUNK + AgeCipher.TAG - 1) / (CHUNK + AgeCipher.TAG);
        long size = sealed - (long) chunks * AgeCipher.TAG;
        // an empty chunk is the only one of an empty file
        if (sealed < AgeCipher.TAG || size < 0 || (size == 0 && chunks > 1)) {
            throw new MalformedAgeException();
        }
        byte[] key = Kdf.hkdf(fileKey, Arrays.copyOfRange(file, start, start + NONCE), "payload");
        SecretValue content = SecretValue.ofSize((int) size);
        try {
            int from = start + NONCE;
            int at = 0;
            for (int index = 0; index < chunks; index++) {
                int length = Math.min(CHUNK + AgeCipher.TAG, file.length - from);
                boolean last = index == chunks - 1;
                byte[] plain = AgeCipher.open(key, counter(index, last), file, from, length);
                if (plain == null || (plain.length == 0 && chunks > 1)) {
                    throw new MalformedAgeException();
                }
                content.put(at, plain, 0, plain.length);
                at += plain.length;
                from += length;
                Arrays.fill(plain, (byte) 0);
            }
            return content;
        } catch (RuntimeException e) {
            content.close();
            throw e;
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    private static byte[] counter(int index, boolean last) {
        byte[] nonce = new byte[AgeCipher.NONCE];
        for (int i = 0; i < Integer.BYTES; i++) {
            nonce[AgeCipher.NONCE - 2 - i] = (byte) (index >>> (8 * i));
        }
        nonce[AgeCipher.NONCE - 1] = (byte) (last ? 1 : 0);
        return nonce;
    }

    private static byte[] mac(byte[] fileKey, String header) {
        byte[] key = Kdf.hkdf(fileKey, NO_SALT, "header");
        try {
            return Kdf.hmac(key).doFinal(header.getBytes(StandardCharsets.ISO_8859_1));
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /// Returns the index behind the line of the MAC.
    private static int headerEnd(byte[] file) {
        int line = 0;
        for (int i = 0; i < Math.min(file.length, MOST_HEADER); i++) {
            if (file[i] == '\n') {
                if (i - line > END.length() && new String(file, line, 4, StandardCharsets.ISO_8859_1).equals("--- ")) {
                    return i + 1;
                }
                line = i + 1;
            }
        }
        throw new MalformedAgeException();
    }

    /// @param lines of the header, with an empty one behind that of the MAC
    private static List<Stanza> stanzas(List<String> lines) {
        if (!lines.getFirst().equals(VERSION)) {
            throw new MalformedAgeException();
        }
        var stanzas = new ArrayList<Stanza>();
        int at = 1;
        while (at < lines.size() - 2) {
            stanzas.add(Stanza.read(lines.subList(0, lines.size() - 2), at));
            at += 1 + Stanza.bodyLines(lines, at).size();
        }
        boolean aloneIfPassphrase = stanzas.size() == 1
                || stanzas.stream().noneMatch(stanza -> stanza.type().equals(PassphraseKey.TYPE));
        if (stanzas.isEmpty() || !aloneIfPassphrase) {
            throw new MalformedAgeException();
        }
        return stanzas;
    }
}
