package dev.caisson.image.registry;

import dev.caisson.image.registry.RegistryException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// Whose certificates are believed: the host's bundle of authorities, as other engines do, and those that Docker's and
/// podman's `certs.d` directories have for one registry.
final class Trust {
    private static final Path SYSTEM = Path.of("/etc/ssl/certs/ca-certificates.crt");
    private static final List<Path> DIRECTORIES = List.of(
            Path.of("/etc/caisson/certs.d"), Path.of("/etc/docker/certs.d"), Path.of("/etc/containers/certs.d"));
    private static final long LARGEST_BUNDLE = 16 << 20;

    private Trust() {}

    /// Returns the context for connections to a registry.
    /// @throws RegistryException REGISTRY_UNTRUSTED if a certificate that is meant for it cannot be read
    static SSLContext of(String registry) {
        return of(registry, SYSTEM, DIRECTORIES);
    }

    static SSLContext of(String registry, Path system, List<Path> directories) {
        try {
            var certificates = new ArrayList<Certificate>();
            for (Path directory : directories) {
                read(directory.resolve(registry), certificates);
            }
            boolean hasSystem = Files.isReadable(system);
            if (hasSystem) {
                certificates.addAll(certificates(system));
            } else if (certificates.isEmpty()) {
                return SSLContext.getDefault(); // the JDK's own authorities
            }
            return context(certificates);
        } catch (IOException | GeneralSecurityException e) {
            throw new RegistryException(
                    Code.REGISTRY_UNTRUSTED,
                    "the certificates for " + registry + " cannot be read (" + e.getMessage()
                            + "); look into /etc/docker/certs.d/" + registry + " and " + system,
                    e);
        }
    }

    private static void read(Path directory, List<Certificate> certificates)
            throws IOException, GeneralSecurityException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.crt")) {
            for (Path file : files) {
                certificates.addAll(certificates(file));
            }
        }
    }

    private static List<Certificate> certificates(Path file) throws IOException, GeneralSecurityException {
        if (Files.size(file) > LARGEST_BUNDLE) {
            throw new IOException(file + " is too large");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return List.copyOf(CertificateFactory.getInstance("X.509").generateCertificates(in));
        }
    }

    private static SSLContext context(List<Certificate> certificates) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int number = 0;
        for (Certificate certificate : certificates) {
            store.setCertificateEntry("authority" + number++, certificate);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }
}
