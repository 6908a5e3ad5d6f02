package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.SSLContext;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Values that a server of Vault's protocol gives.
@Timeout(60)
class VaultSourceTest {
    @TempDir
    private Path scratch;

    /// Of a machine with much else to do.
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private VaultPeer peer;

    @BeforeEach
    void serve() throws Exception {
        peer = new VaultPeer(scratch, "dns:localhost");
    }

    @AfterEach
    void end() throws Exception {
        peer.close();
    }

    private String read(String path, String token, SSLContext trust, Duration patience) {
        try (SecretValue given = SecretValue.of(token.getBytes(StandardCharsets.UTF_8));
                SecretValue value = new ValueSource.Vault(peer.address(path), given, trust).read(patience)) {
            return new String(value.copy(), StandardCharsets.UTF_8);
        }
    }

    private String read(String path, String token, SSLContext trust) {
        return read(path, token, trust, PATIENCE);
    }

    private String read(String path) {
        return read(path, VaultPeer.TOKEN, peer.trust());
    }

    private static void refused(SecretException.Code code, ThrowingCallable act, String... words) {
        assertThatThrownBy(act)
                .isInstanceOfSatisfying(
                        SecretException.class, e -> assertThat(e.reason()).isEqualTo(code))
                .hasMessageContainingAll(words)
                .hasMessageNotContaining(VaultPeer.TOKEN);
    }

    private void unusable(String answer, String why) {
        peer.instead = Optional.of(VaultPeer.Reply.of(answer));
        refused(SecretException.Code.SECRET_SOURCE, () -> read("secret/data/app/db#password"), why);
    }

    @Test
    void a_field_of_the_last_version_or_of_another_is_the_value() {
        assertThat(read("secret/data/app/db#password")).isEqualTo("s3crét \"\\\n😀");
        assertThat(read("secret/data/app/db?version=2#password")).isEqualTo("earlier");
        assertThat(peer.requests.getLast())
                .startsWith("GET /v1/secret/data/app/db?version=2 HTTP/1.1\r\n")
                .contains("\r\nX-Vault-Token: " + VaultPeer.TOKEN + "\r\n", "\r\nX-Vault-Request: true\r\n");
    }

    @Test
    void what_the_server_does_not_have_or_allow_is_an_error_that_says_so() {
        var code = SecretException.Code.SECRET_SOURCE;
        refused(code, () -> read("secret/data/none#password"), "answered 404", "not of version 2");
        refused(code, () -> read("secret/data/gone#password"), "answered 404", "deleted");
        refused(code, () -> read("secret/data/app/db#none"), "no field");
        refused(code, () -> read("secret/data/app/db#port"), "no field");
        refused(code, () -> read("secret/data/app/db#password", "hvs.other", peer.trust()), "answered 403", "token");
        unusable(VaultPeer.plain("503 Service Unavailable", "{\"errors\":[\"Vault is sealed\"]}"), "sealed");
        unusable("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://elsewhere/\r\n\r\n", "name the active one");
    }

    @Test
    void nothing_is_sent_to_a_server_that_nobody_vouches_for() throws Exception {
        refused(
                SecretException.Code.SECRET_SOURCE,
                () -> read("secret/data/app/db#password", VaultPeer.TOKEN, SSLContext.getDefault()),
                "gave no value");
        try (var other = new VaultPeer(scratch, "dns:other.example.com")) {
            String address = other.address("secret/data/app/db#password");
            try (SecretValue token = SecretValue.of(VaultPeer.TOKEN.getBytes(StandardCharsets.UTF_8))) {
                var source = new ValueSource.Vault(address, token, other.trust());
                refused(SecretException.Code.SECRET_SOURCE, source::read, "gave no value");
            }
            assertThat(other.requests).allMatch(String::isEmpty);
        }
        assertThat(peer.requests).allMatch(String::isEmpty);
    }

    @Test
    void an_answer_that_breaks_off_has_no_end_or_is_no_json_is_refused() {
        unusable("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "broke off");
        unusable("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "broke off");
        unusable("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n", "malformed chunk");
        unusable("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "content-encoding");
        unusable("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n{}", "larger than");
        unusable("HTTP/1.1 200 OK\r\n\r\n" + "x".repeat(2_000_000), "larger than");
        unusable("x".repeat(2_000_000), "larger than");
        unusable("SSH-2.0-OpenSSH\r\n\r\n", "not of HTTP/1.1");
        String twice = VaultPeer.secret("{\"password\":\"a\",\"password\":\"b\"}", 1);
        for (String body : List.of(
                "",
                "{",
                "{\"data\":{\"data\":{\"password\":\"x\"}}",
                "[".repeat(500_000),
                twice,
                VaultPeer.secret("{\"password\":\"\\ud83d x\"}", 1),
                VaultPeer.secret("{\"password\":\"\\x\"}", 1),
                VaultPeer.secret("{\"password\":\"\\u12\"}", 1),
                "{\"data\":{}} x")) {
            unusable(VaultPeer.plain("200 OK", body), "no JSON");
        }
    }

    @Test
    void a_server_that_sends_a_byte_at_a_time_does_not_hold_its_caller() {
        peer.instead = Optional.of(out -> {
            while (true) {
                out.write('H');
                out.flush();
                Thread.sleep(100);
            }
        });
        long begun = System.nanoTime();
        refused(
                SecretException.Code.SECRET_SOURCE,
                () -> read("secret/data/app/db#password", VaultPeer.TOKEN, peer.trust(), Duration.ofSeconds(2)),
                "within 2 s");
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(PATIENCE);
    }

    @Test
    void a_name_that_nobody_answers_for_does_not_hold_its_caller_and_each_address_is_tried() throws Exception {
        var asked = new CountDownLatch(1);
        HttpsAnswer.Lookup silent = _ -> {
            try {
                asked.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new UnknownHostException();
        };
        long begun = System.nanoTime();
        assertThatThrownBy(() -> ask(silent, Duration.ofSeconds(1)))
                .hasMessageContaining("its name had no answer within 1 s");
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(PATIENCE);
        asked.countDown();
        InetAddress[] both = {InetAddress.ofLiteral("127.0.0.2"), InetAddress.ofLiteral("127.0.0.1")};
        try (HttpsAnswer answer = ask(_ -> both, PATIENCE)) { // nobody listens at the first one
            assertThat(answer.status()).isEqualTo(403);
        }
    }

    private HttpsAnswer ask(HttpsAnswer.Lookup lookup, Duration patience) throws IOException {
        int port = Integer.parseInt(peer.address("x").replaceAll("vault://[^:]*:([0-9]+)/.*", "$1"));
        byte[] request =
                "GET /v1/secret/data/app/db HTTP/1.1\r\nX-Vault-Token: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        return HttpsAnswer.to(lookup, "localhost", port, request, peer.trust(), patience);
    }

    @Test
    void an_address_that_could_be_read_in_two_ways_is_refused() {
        for (String path : List.of(
                "secret/app/db#password",
                "secret/data/../x#password",
                "secret/data/x",
                "secret/data/x y#f",
                "secret/data/x\r\nHost: y#f",
                "secret/data//x#f",
                "data/x#f",
                "secret/data/%2e#f",
                "secret/data/x?list=true#f",
                "secret/data/x?version=0#f")) {
            refused(SecretException.Code.SECRET_INVALID, () -> read(path), "vault://HOST");
        }
        refused(
                SecretException.Code.SECRET_INVALID,
                () -> read("secret/data/app/db#password", VaultPeer.TOKEN + "\r\nX: y", peer.trust()),
                "the token for localhost");
        assertThat(peer.requests).isEmpty();
    }

    @Test
    void a_token_is_read_from_a_file_that_others_may_not_read() throws Exception {
        Path file = Files.writeString(scratch.resolve("token"), VaultPeer.TOKEN + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        refused(SecretException.Code.SECRET_SOURCE, () -> ValueSource.Vault.token(file), "mode 0400");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        try (SecretValue token = ValueSource.Vault.token(file)) {
            assertThat(new String(token.copy(), StandardCharsets.UTF_8)).isEqualTo(VaultPeer.TOKEN);
        }
        refused(SecretException.Code.SECRET_SOURCE, () -> ValueSource.Vault.token(scratch.resolve("none")), "ENOENT");
    }
}
