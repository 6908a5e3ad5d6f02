package dev.caisson.secret;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// Keys from keys: HKDF of RFC 5869 and HMAC of RFC 2104, both with SHA-256.
final class Kdf {
    static final int KEY = 32;
    private static final String HMAC = "HmacSHA256";

    private Kdf() {}

    /// Returns 32 bytes.
    /// @param salt may be empty
    static byte[] hkdf(byte[] key, byte[] salt, String label) {
        try {
            HKDFParameterSpec.Builder extract = HKDFParameterSpec.ofExtract().addIKM(key);
            if (salt.length > 0) {
                extract.addSalt(salt);
            }
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(extract.thenExpand(label.getBytes(StandardCharsets.US_ASCII), KEY));
        } catch (GeneralSecurityException e) {
            throw missing("HKDF-SHA256", e);
        }
    }

    /// Returns an HMAC that is ready for its first byte.
    static Mac hmac(byte[] key) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            // a key is filled up with zeros, so one zero is the same key as none, which the JDK refuses
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, HMAC));
            return mac;
        } catch (GeneralSecurityException e) {
            throw missing(HMAC, e);
        }
    }

    static IllegalStateException missing(String algorithm, GeneralSecurityException e) {
        return new IllegalStateException("this JDK has no " + algorithm, e);
    }
}
