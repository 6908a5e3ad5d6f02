package dev.caisson.gate;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.Optional;

/// The stores of certificates that Java's programs trust, which read no variable that names another one.
public final class JavaStores {
    private static final System.Logger LOG = System.getLogger(JavaStores.class.getName());
    private static final int JKS_MAGIC = 0xfeedfeed;
    /// Every Java reads this form, with and without this password, which all distributions use.
    private static final String WRITTEN = "JKS";

    private static final String PASSWORD = "changeit";

    private JavaStores() {}

    /// Returns a store with an authority more. It is read without a password, so that one of an image cannot have the
    /// host derive keys.
    ///
    /// @param store in one of the two forms that Java has
    /// @return empty if it has no certificate that can be read so
    public static Optional<byte[]> with(byte[] store, Authority authority) {
        try {
            KeyStore read = KeyStore.getInstance(isJks(store) ? "JKS" : "PKCS12");
            read.load(new ByteArrayInputStream(store), null);
            KeyStore written = KeyStore.getInstance(WRITTEN);
            written.load(null, null);
            for (String alias : Collections.list(read.aliases())) {
                Certificate one = read.isCertificateEntry(alias) ? read.getCertificate(alias) : null;
                if (one != null) {
                    written.setCertificateEntry(alias, one);
                }
            }
            if (written.size() == 0) {
                return Optional.empty();
            }
            written.setCertificateEntry("caisson gate", authority.certificate());
            var out = new ByteArrayOutputStream();
            written.store(out, PASSWORD.toCharArray());
            return Optional.of(out.toByteArray());
        } catch (IOException | GeneralSecurityException | RuntimeException e) { // an image may have anything there
            LOG.log(System.Logger.Level.DEBUG, "a store of Java's certificates cannot be read, and stays as it is", e);
            return Optional.empty();
        }
    }

    private static boolean isJks(byte[] store) {
        return store.length > Integer.BYTES
                && (store[0] << 24 | (store[1] & 0xff) << 16 | (store[2] & 0xff) << 8 | (store[3] & 0xff)) == JKS_MAGIC;
    }
}
