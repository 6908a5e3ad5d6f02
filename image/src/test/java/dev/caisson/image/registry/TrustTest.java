package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.registry.RegistryException.Code;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Whose certificates are believed, by connections to a server that has one of its own.
@Timeout(30)
class TrustTest {
    private static final String NAME = "127.0.0.1:5000";
    /// For 127.0.0.1, and nobody's but these tests'.
    private static final String CERTIFICATE = """
            -----BEGIN CERTIFICATE-----
            MIIBYzCCAQmgAwIBAgIIZiMg7k8SiOgwCgYIKoZIzj0EAwMwFDESMBAGA1UEAxMJ
            MTI3LjAuMC4xMCAXDTAwMDEwMTE4Mzg1MVoYDzIxMDkwNzA4MTgzODUxWjAUMRIw
            EAYDVQQDEwkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASY4h6D
            kG5ID1FJhvCRwdsfEd2OGH2grnqcoHtmCQ5BBDczx1fpdeS5KN78W8WdK+QgZ3ZV
            kWUDWi8chHO+0eQVo0MwQTAdBgNVHQ4EFgQUH+MNB2ZcGANKXTPGi+LHv5Og+zcw
            DwYDVR0RBAgwBocEfwAAATAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMDA0gA
            MEUCIA3gI+GgJ+H73D9L4EQimzComhkLD1rwObpwdL0FV7D1AiEAsmJeFrqGkQIt
            0ycXu0aV+VdEyl1Le0qDWBemHq027s0=
            -----END CERTIFICATE-----
            """;
    private static final String KEY =
            "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCAKHbk6jvZdZHcYij1bEqsf3VuBtBrUMTYUsai7JAxTg==";
    private static final String OTHER = """
            -----BEGIN CERTIFICATE-----
            MIIBXDCCAQKgAwIBAgIJAJZP7/lfahQ+MAoGCCqGSM49BAMDMBAxDjAMBgNVBAMT
            BW90aGVyMCAXDTAwMDEwMTE4Mzg1M1oYDzIxMDkwNzA4MTgzODUzWjAQMQ4wDAYD
            VQQDEwVvdGhlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJPGRHnqWOj6yIR6
            nrT+N77ooeXlr4+aAfrX9tw0fERSQzeoeHwOXjDC3r/mU+ghAcRARFh1izMvoLKy
            GQmrosOjQzBBMB0GA1UdDgQWBBSLlXA2tDE3F/bowXTdjuNsaksPXzAPBgNVHREE
            CDAGhwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwMDSAAwRQIgeJN8
            1Q2MJ9P2DX6ke97XhwgGO7NusJxtOAR45oi1EBYCIQDGr0G/XVEQ1Bh13aAhJt+Y
            VQ2zKnnRKqdT1korEmRiZg==
            -----END CERTIFICATE-----
            """;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path directory;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path system;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path certificates;

    @BeforeEach
    void make() throws IOException {
        system = directory.resolve("ca-certificates.crt");
        certificates = Files.createDirectories(directory.resolve("certs.d"));
    }

    private Path own(String registry) throws IOException {
        return Files.createDirectories(certificates.resolve(registry));
    }

    private SSLContext trust() {
        return Trust.of(NAME, system, List.of(directory.resolve("none"), certificates));
    }

    private static SSLContext server() throws IOException, GeneralSecurityException {
        Certificate certificate = CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(CERTIFICATE.getBytes(StandardCharsets.US_ASCII)));
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        var key = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(KEY)));
        store.setKeyEntry("own", key, new char[0], new Certificate[] {certificate});
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    /// Shakes hands with the server.
    private static void connect(SSLContext trust) throws IOException, GeneralSecurityException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (var listening = (SSLServerSocket) server().getServerSocketFactory().createServerSocket(0, 1, loopback)) {
            Thread.ofVirtual().start(() -> {
                try (var socket = (SSLSocket) listening.accept()) {
                    socket.startHandshake();
                } catch (IOException e) {
                    // the client does not trust it
                }
            });
            try (var socket = (SSLSocket) trust.getSocketFactory().createSocket(loopback, listening.getLocalPort())) {
                socket.startHandshake();
            }
        }
    }

    private void assertTrusted() throws IOException, GeneralSecurityException {
        connect(trust());
    }

    private void assertNotTrusted() {
        assertThatThrownBy(() -> connect(trust())).isInstanceOf(SSLException.class);
    }

    @Test
    void the_host_s_authorities_are_believed_all_of_them() throws Exception {
        Files.writeString(system, OTHER + CERTIFICATE);
        assertTrusted();
        Files.writeString(system, CERTIFICATE + OTHER);
        assertTrusted();
        Files.writeString(system, OTHER);
        assertNotTrusted();
    }

    @Test
    void a_registry_s_own_certificate_is_believed_beside_them_or_without_them() throws Exception {
        Files.writeString(own(NAME).resolve("ca.crt"), CERTIFICATE);
        assertTrusted();
        Files.writeString(system, OTHER);
        assertTrusted();
    }

    @Test
    void another_registry_s_certificate_and_other_files_are_not() throws Exception {
        Files.writeString(system, OTHER);
        Files.writeString(own("127.0.0.1").resolve("ca.crt"), CERTIFICATE);
        Files.writeString(own(NAME).resolve("client.cert"), CERTIFICATE);
        assertNotTrusted();
    }

    @Test
    void without_any_the_jdk_s_authorities_are_believed() throws Exception {
        assertThat(trust()).isSameAs(SSLContext.getDefault());
        assertNotTrusted();
    }

    @Test
    void a_certificate_that_cannot_be_read_is_refused_by_its_directory() throws IOException {
        Files.writeString(own(NAME).resolve("ca.crt"), "no certificate");
        var refused = catchThrowableOfType(RegistryException.class, this::trust);
        assertThat(refused.reason()).isEqualTo(Code.REGISTRY_UNTRUSTED);
        assertThat(refused.sentence()).contains("the certificates for " + NAME).contains("certs.d/" + NAME);
    }

    @Test
    void a_bundle_has_16_megabytes_at_most() throws Exception {
        try (var file = new RandomAccessFile(system.toFile(), "rw")) {
            file.setLength((16 << 20) + 1);
        }
        var refused = catchThrowableOfType(RegistryException.class, this::trust);
        assertThat(refused.sentence()).contains("is too large");
    }
}
