package dev.caisson.secret;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPrivateKeySpec;
import java.security.spec.XECPublicKeySpec;
import javax.crypto.KeyAgreement;

/// The function X25519 of RFC 7748 over keys of 32 bytes, least byte first.
final class Curve {
    static final int KEY = 32;
    private static final String ALGORITHM = "X25519";
    private static final byte[] BASE = new byte[KEY];

    static {
        BASE[0] = 9;
    }

    private Curve() {}

    static byte[] randomScalar() {
        byte[] scalar = new byte[KEY];
        new SecureRandom().nextBytes(scalar);
        return scalar;
    }

    static byte[] publicKey(byte[] scalar) {
        return agree(scalar, BASE);
    }

    /// Returns the shared secret.
    /// @throws MalformedAgeException if the point is of small order: the secret would not depend on the scalar
    static byte[] agree(byte[] scalar, byte[] point) {
        try {
            KeyFactory keys = KeyFactory.getInstance(ALGORITHM);
            KeyAgreement agreement = KeyAgreement.getInstance(ALGORITHM);
            agreement.init(keys.generatePrivate(new XECPrivateKeySpec(NamedParameterSpec.X25519, scalar)));
            agreement.doPhase(
                    keys.generatePublic(new XECPublicKeySpec(NamedParameterSpec.X25519, number(point))), true);
            return agreement.generateSecret();
        } catch (InvalidKeyException e) {
            throw new MalformedAgeException();
        } catch (GeneralSecurityException e) {
            throw Kdf.missing(ALGORITHM, e);
        }
    }

    static boolean isOfSmallOrder(byte[] point) {
        try {
            agree(randomScalar(), point);
            return false;
        } catch (MalformedAgeException e) {
            return true;
        }
    }

    private static BigInteger number(byte[] point) {
        byte[] big = new byte[KEY];
        for (int i = 0; i < KEY; i++) {
            big[i] = point[KEY - 1 - i];
        }
        big[0] &= 0x7f;
        return new BigInteger(1, big);
    }
}
