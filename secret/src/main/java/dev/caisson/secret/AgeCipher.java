package dev.caisson.secret;

import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// ChaCha20-Poly1305 of RFC 8439, without associated data.
final class AgeCipher {
    static final int TAG = 16;
    static final int NONCE = 12;
    private static final String ALGORITHM = "ChaCha20-Poly1305";

    private AgeCipher() {}

    static byte[] seal(byte[] key, byte[] nonce, byte[] plain, int offset, int length) {
        try {
            return cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(plain, offset, length);
        } catch (GeneralSecurityException e) {
            throw Kdf.missing(ALGORITHM, e);
        }
    }

    /// Returns null if what is sealed was changed, or is of another key.
    static byte @Nullable [] open(byte[] key, byte[] nonce, byte[] sealed, int offset, int length) {
        try {
            return length < TAG ? null : cipher(Cipher.DECRYPT_MODE, key, nonce).doFinal(sealed, offset, length);
        } catch (AEADBadTagException e) {
            return null;
        } catch (GeneralSecurityException e) {
            throw Kdf.missing(ALGORITHM, e);
        }
    }

    private static Cipher cipher(int mode, byte[] key, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(ALGORITHM);
        cipher.init(mode, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(nonce));
        return cipher;
    }
}
