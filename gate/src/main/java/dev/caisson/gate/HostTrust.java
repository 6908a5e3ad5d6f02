package dev.caisson.gate;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// The authorities that the host trusts: those of its bundle, else those of the JVM.
public final class HostTrust {
    /// Paths from the root at which distributions have their bundle of certificates.
    public static final List<String> BUNDLES = List.of(
            "etc/ssl/certs/ca-certificates.crt",
            "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "etc/ssl/ca-bundle.pem",
            "etc/pki/tls/certs/ca-bundle.crt",
            "etc/ssl/cert.pem");

    private HostTrust() {}

    /// Returns the host's bundle of certificates; empty if it has none.
    /// @throws IOException if one is there and cannot be read
    public static Optional<byte[]> bundle() throws IOException {
        for (String bundle : BUNDLES) {
            Path file = Path.of("/" + bundle);
            if (Files.isRegularFile(file)) {
                return Optional.of(Files.readAllBytes(file));
            }
        }
        return Optional.empty();
    }

    /// Returns a context for connections to servers.
    /// @throws IOException if a bundle is there and cannot be read
    public static SSLContext context() throws IOException {
        Optional<byte[]> bundle = bundle();
        return bundle.isPresent() ? context(bundle.get(), "the host") : ofJvm();
    }

    /// Returns a context that trusts the authorities of this JVM.
    static SSLContext ofJvm() throws IOException {
        try {
            return SSLContext.getDefault();
        } catch (GeneralSecurityException e) {
            throw new IOException("this JVM trusts no authorities", e);
        }
    }

    /// Returns a context that trusts the certificates of a file alone, or the authorities of the host if none is named.
    /// @throws IOException if a file is there and cannot be read
    public static SSLContext context(Optional<Path> bundle) throws IOException {
        return bundle.isPresent() ? context(bundle.get()) : context();
    }

    /// Returns a context that trusts the certificates of a file alone.
    /// @throws IOException if it has none, or cannot be read
    public static SSLContext context(Path bundle) throws IOException {
        return context(Files.readAllBytes(bundle), bundle.toString());
    }

    /// @param origin of the certificates, for messages
    static SSLContext context(byte[] bundle, String origin) throws IOException {
        try {
            Collection<? extends Certificate> all =
                    CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bundle));
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            int number = 0;
            for (Certificate one : all) {
                store.setCertificateEntry("authority " + number++, one);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("the authorities of " + origin + " cannot be read: " + e.getMessage(), e);
        }
    }
}
