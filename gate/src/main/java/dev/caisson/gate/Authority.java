package dev.caisson.gate;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;

/// An authority for the certificates of one container's gates. Its own certificate is good for the names of these gates
/// alone (name constraints, RFC 5280 section 4.2.1.10), so that whoever got its key could name nothing else to that
/// container. Its key never goes in.
public final class Authority {
    /// A certificate with its key.
    record Leaf(X509Certificate certificate, PrivateKey key) {}

    /// The lifetime of a name's certificate.
    static final Duration LEAF = Duration.ofDays(2);

    private static final Duration OWN = Duration.ofDays(3650);
    private static final Duration BEFORE = Duration.ofHours(1);
    private static final int SERIAL = 16;
    private static final int KEY_ID = 20;
    private static final int LINE = 64;
    private static final String BEGIN = "-----BEGIN CERTIFICATE-----\n";
    private static final String END = "\n-----END CERTIFICATE-----\n";
    private static final byte[] ECDSA_SHA256 = Der.sequence(Der.object(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
    private static final int[] COMMON_NAME = {0x55, 0x04, 0x03};
    private static final int[] SUBJECT_KEY = {0x55, 0x1d, 0x0e};
    private static final int[] KEY_USAGE = {0x55, 0x1d, 0x0f};
    private static final int[] ALTERNATIVE_NAME = {0x55, 0x1d, 0x11};
    private static final int[] BASIC_CONSTRAINTS = {0x55, 0x1d, 0x13};
    private static final int[] NAME_CONSTRAINTS = {0x55, 0x1d, 0x1e};
    private static final int[] AUTHORITY_KEY = {0x55, 0x1d, 0x23};
    private static final int[] EXTENDED_USAGE = {0x55, 0x1d, 0x25};
    private static final byte[] SERVER = Der.object(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01);
    private static final int DNS_NAME = 0x82;

    private final X509Certificate certificate;
    private final PrivateKey key;
    private final byte[] name;

    private Authority(X509Certificate certificate, PrivateKey key) {
        this.certificate = certificate;
        this.key = key;
        this.name = certificate.getSubjectX500Principal().getEncoded();
    }

    /// Makes one.
    ///
    /// @param container for people, in its name
    /// @param hosts that it may name
    public static Authority create(String container, List<String> hosts) {
        try {
            KeyPair pair = pair();
            byte[] own = commonName("Caisson gate of " + container);
            var permitted = new ArrayList<byte[]>();
            hosts.stream().distinct().map(Authority::subtree).forEach(permitted::add);
            byte[] constraints = Der.sequence(Der.value(0xa0, permitted.toArray(byte[][]::new)));
            byte[] extensions = Der.sequence(
                    extension(BASIC_CONSTRAINTS, true, Der.sequence(Der.truth(), Der.integer(new byte[] {0}))),
                    extension(KEY_USAGE, true, Der.bits(2, new byte[] {4})), // keyCertSign
                    extension(NAME_CONSTRAINTS, true, constraints),
                    extension(SUBJECT_KEY, false, Der.octets(keyId(pair.getPublic()))));
            return new Authority(
                    signed(own, own, pair.getPublic(), pair.getPrivate(), OWN, extensions), pair.getPrivate());
        } catch (GeneralSecurityException e) {
            throw impossible(e);
        }
    }

    private static byte[] subtree(String host) {
        return Der.sequence(Der.value(DNS_NAME, host.getBytes(StandardCharsets.US_ASCII)));
    }

    /// Returns its certificate in PEM.
    public String pem() {
        try {
            return BEGIN
                    + Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
                    + END;
        } catch (GeneralSecurityException e) {
            throw impossible(e);
        }
    }

    /// Returns a context of a server that shows certificates of it for some hosts.
    public SSLContext context(List<String> hosts) throws GeneralSecurityException {
        return new Leaves(this, Set.copyOf(hosts)).context();
    }

    /// Returns its certificate and key, as [#parse] reads them; nothing that goes into a container.
    public String text() {
        return pem() + Base64.getEncoder().encodeToString(key.getEncoded()) + "\n";
    }

    /// Reads what [#text] returns.
    /// @throws IllegalArgumentException if it is something else
    public static Authority parse(String text) {
        int end = text.indexOf(END);
        if (!text.startsWith(BEGIN) || end < 0) {
            throw new IllegalArgumentException("not an authority");
        }
        try {
            byte[] encoded = Base64.getDecoder()
                    .decode(text.substring(end + END.length()).strip());
            return new Authority(
                    certificate(Base64.getMimeDecoder().decode(text.substring(BEGIN.length(), end))),
                    KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(encoded)));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not an authority", e);
        }
    }

    X509Certificate certificate() {
        return certificate;
    }

    /// Makes a certificate of a host.
    Leaf leaf(String host) {
        try {
            KeyPair pair = pair();
            byte[] extensions = Der.sequence(
                    extension(KEY_USAGE, true, Der.bits(7, new byte[] {(byte) 0x80})), // digitalSignature
                    extension(EXTENDED_USAGE, false, Der.sequence(SERVER)),
                    extension(
                            ALTERNATIVE_NAME,
                            false,
                            Der.sequence(Der.value(DNS_NAME, host.getBytes(StandardCharsets.US_ASCII)))),
                    extension(SUBJECT_KEY, false, Der.octets(keyId(pair.getPublic()))),
                    extension(AUTHORITY_KEY, false, Der.sequence(Der.value(0x80, keyId(certificate.getPublicKey())))));
            return new Leaf(
                    signed(commonName("Caisson gate"), name, pair.getPublic(), key, LEAF, extensions),
                    pair.getPrivate());
        } catch (GeneralSecurityException e) {
            throw impossible(e);
        }
    }

    private static KeyPair pair() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static byte[] keyId(PublicKey key) throws GeneralSecurityException {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
        return java.util.Arrays.copyOf(digest, KEY_ID);
    }

    private static byte[] commonName(String text) {
        return Der.sequence(Der.set(Der.sequence(Der.object(COMMON_NAME), Der.text(text))));
    }

    private static byte[] extension(int[] kind, boolean critical, byte[] content) {
        return critical
                ? Der.sequence(Der.object(kind), Der.truth(), Der.octets(content))
                : Der.sequence(Der.object(kind), Der.octets(content));
    }

    private static X509Certificate signed(
            byte[] subject, byte[] issuer, PublicKey of, PrivateKey with, Duration lasting, byte[] extensions)
            throws GeneralSecurityException {
        var serial = new byte[SERIAL];
        new SecureRandom().nextBytes(serial);
        serial[0] = (byte) ((serial[0] & 0x3f) | 0x40); // positive, and no byte of it is left out
        Instant now = Instant.now();
        byte[] content = Der.sequence(
                Der.value(0xa0, Der.integer(new byte[] {2})),
                Der.integer(serial),
                ECDSA_SHA256,
                issuer,
                Der.sequence(Der.time(now.minus(BEFORE)), Der.time(now.plus(lasting))),
                subject,
                of.getEncoded(),
                Der.value(0xa3, extensions));
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(with);
        signature.update(content);
        return certificate(Der.sequence(content, ECDSA_SHA256, Der.bits(0, signature.sign())));
    }

    private static X509Certificate certificate(byte[] encoded) throws GeneralSecurityException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(encoded));
    }

    private static IllegalStateException impossible(GeneralSecurityException e) {
        return new IllegalStateException("this JVM has no P-256 or no SHA-256", e);
    }
}
