package dev.caisson.secret;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPrivateKeySpec;
import java.security.spec.XECPublicKeySpec;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import javax.crypto.KeyAgreement;

/// The function X25519 of RFC 7748 over keys of 32 bytes, least byte first.
final class Curve {
    static final int KEY = 32;
    private static final String ALGORITHM = "X25519";
    private static final byte[] BASE = new byte[KEY];

    static {
        BASE[0] = 9;
    }

    /// The points of order 1, 2, 4 and 8, on the curve and on its twist, also as numbers that are not reduced.
    private static final Set<String> SMALL_ORDER = Set.of(
            "00".repeat(KEY),
            "01" + "00".repeat(KEY - 1),
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ec" + "ff".repeat(KEY - 2) + "7f",
            "ed" + "ff".repeat(KEY - 2) + "7f",
            "ee" + "ff".repeat(KEY - 2) + "7f");

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

    /// True for a point with which every scalar agrees on zeros. They are compared, which is a thousand times faster
    /// than to try one.
    static boolean isOfSmallOrder(byte[] point) {
        byte[] masked = point.clone();
        masked[KEY - 1] &= 0x7f; // which the function leaves out
        return SMALL_ORDER.contains(HexFormat.of().formatHex(masked));
    }

    /// Returns the points that are compared. For tests.
    static List<byte[]> smallOrder() {
        return SMALL_ORDER.stream().map(HexFormat.of()::parseHex).toList();
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
