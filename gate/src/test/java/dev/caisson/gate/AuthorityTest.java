package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class AuthorityTest {
    @Test
    void its_certificates_are_good_for_its_hosts_alone() throws Exception {
        Authority authority = Authority.create("c", List.of("api.example.com", "b.example"));
        X509CertSelector permitted = new X509CertSelector();
        byte[] octets = authority.certificate().getExtensionValue("2.5.29.30");
        permitted.setNameConstraints(Arrays.copyOfRange(octets, 2, octets.length)); // the value within the octets
        assertThat(permitted.match(authority.leaf("api.example.com").certificate()))
                .isTrue();
        assertThat(permitted.match(authority.leaf("b.example").certificate())).isTrue();
        assertThat(permitted.match(authority.leaf("www.example.com").certificate()))
                .isFalse();
        assertThat(authority.certificate().getBasicConstraints()).isZero();
        assertThat(authority.certificate().getCriticalExtensionOIDs()).contains("2.5.29.30", "2.5.29.19");
    }

    @Test
    void a_certificate_is_good_for_two_days() {
        X509Certificate leaf =
                Authority.create("c", List.of("a.example")).leaf("a.example").certificate();
        Duration lasting = Duration.between(
                leaf.getNotBefore().toInstant(), leaf.getNotAfter().toInstant());
        assertThat(lasting).isEqualTo(Duration.ofDays(2).plusHours(1));
    }

    @Test
    void it_is_read_as_it_is_written() throws Exception {
        Authority written = Authority.create("c", List.of("a.example"));
        Authority read = Authority.parse(written.text());
        assertThat(read.certificate()).isEqualTo(written.certificate());
        read.leaf("a.example").certificate().verify(written.certificate().getPublicKey());
        assertThat(written.pem()).startsWith("-----BEGIN CERTIFICATE-----\n").endsWith("-----END CERTIFICATE-----\n");
        for (String wrong : List.of("", written.pem(), written.text().substring(0, 100), written.pem() + "AAAA")) {
            assertThatThrownBy(() -> Authority.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void stores_of_java_have_it_beside_their_own() throws Exception {
        Authority authority = Authority.create("c", List.of("a.example"));
        Certificate other = Authority.create("other", List.of("b.example")).certificate();
        for (String form : List.of("JKS", "PKCS12")) {
            byte[] merged = JavaStores.with(store(form, other, null), authority).orElseThrow();
            KeyStore read = KeyStore.getInstance("JKS");
            read.load(new ByteArrayInputStream(merged), "changeit".toCharArray());
            assertThat(Collections.list(read.aliases())).containsExactlyInAnyOrder("other", "caisson gate");
            assertThat(read.getCertificate("other")).isEqualTo(other);
            assertThat(read.getCertificate("caisson gate")).isEqualTo(authority.certificate());
        }
    }

    @Test
    void a_store_that_needs_a_password_or_is_none_stays_as_it_is() throws Exception {
        Authority authority = Authority.create("c", List.of("a.example"));
        byte[] encrypted = store("PKCS12", authority.certificate(), "changeit".toCharArray());
        byte[] many = store("JKS", authority.certificate(), null);
        many[8] = 0x7f; // two thousand million entries
        for (byte[] wrong : List.of(encrypted, many, Arrays.copyOf(many, 20), new byte[0], new byte[5000])) {
            assertThat(JavaStores.with(wrong, authority)).isEmpty();
        }
    }

    private static byte[] store(String form, Certificate one, char @Nullable [] password) throws Exception {
        KeyStore store = KeyStore.getInstance(form);
        store.load(null, null);
        store.setCertificateEntry("other", one);
        var out = new ByteArrayOutputStream();
        store.store(out, form.equals("JKS") ? "changeit".toCharArray() : password);
        return out.toByteArray();
    }
}
