package dev.caisson.cli.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.GivenCaller;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `caisson secret create --from vault://…`, whose token is a file or a secret.
@Tag("root")
@Timeout(120)
class VaultCommandTest {
    private static final String VALUE = "canary-of-the-server";
    private static final String TOKEN = "hvs.canary-of-the-token";
    private static final String PASSWORD = "changeit";

    @TempDir
    private Path directory;

    @BeforeEach
    void make() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(secret("", "init", "--key-file", directory.resolve("key").toString(), "--same-disk")
                        .status())
                .isZero();
    }

    @Test
    void a_field_of_a_server_becomes_a_secret_by_a_token_of_a_file_or_of_the_store() throws Exception {
        Path token = Files.writeString(directory.resolve("token"), TOKEN + "\n");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("r--------"));
        assertThat(secret(TOKEN, "create", "vault", "-").status()).isZero();
        try (SSLServerSocket server = server()) {
            Thread.ofVirtual().start(() -> serve(server));
            String source = "vault://localhost:" + server.getLocalPort() + "/secret/data/app#password";
            String authorities = directory.resolve("peer.pem").toString();
            String[] trusted = {"--from", source, "--ca-cert", authorities};
            assertThat(secret("", with(trusted, "create", "db", "--token-file", token.toString())))
                    .satisfies(answer -> assertThat(answer.err()).isEmpty());
            assertThat(secret("", with(trusted, "rotate", "db", "--token-secret", "vault"))
                            .out())
                    .isEqualTo("db@2\n");
            assertThat(secret("", "create", "x", "--from", source, "--token-secret", "vault")
                            .err())
                    .contains("SECRET_SOURCE"); // the host trusts no such authority
        }
        try (SecretStore store = SecretStore.open(Stores.directory(directory), Optional::empty);
                SecretValue value = store.read(new SecretName("db"), Optional.empty(), "read", "test")) {
            assertThat(new String(value.copy(), StandardCharsets.UTF_8)).isEqualTo(VALUE);
        }
        assertThat(secret("", "log", "--format", "{{.Action}} {{.Secret}}", "vault")
                        .out())
                .contains("read vault@1");
    }

    @Test
    void options_that_do_not_fit_are_refused() {
        String source = "vault://localhost:1/secret/data/app#password";
        assertThat(secret("", "create", "x", "--from", source).err()).contains("SECRET_INVALID", "give one");
        assertThat(secret("", "create", "x", "--from", source, "--token-file", "f", "--token-secret", "s")
                        .err())
                .contains("SECRET_INVALID", "give one");
        assertThat(secret("", "create", "x", "--generate", "--token-secret", "s")
                        .err())
                .contains("USAGE", "are for --from vault");
        assertThat(secret("", "create", "x", "--from", "command:/bin/true", "--ca-cert", "s")
                        .err())
                .contains("SECRET_INVALID", "are for --from vault");
        assertThat(secret("", "create", "x", "--from", source, "--token-secret", "s", "--ca-cert", "/none")
                        .err())
                .contains("SECRET_SOURCE", "certificates", "/none");
        assertThat(secret("", "create", "x", "--from", source, "--token-secret", "none")
                        .err())
                .contains("SECRET_UNKNOWN");
    }

    private static String[] with(String[] some, String... others) {
        var all = new ArrayList<>(List.of(others));
        all.addAll(List.of(some));
        return all.toArray(String[]::new);
    }

    private SSLServerSocket server() throws Exception {
        String file = directory.resolve("peer.p12").toString();
        keytool(
                "-genkeypair",
                "-alias",
                "peer",
                "-keyalg",
                "EC",
                "-dname",
                "CN=peer",
                "-ext",
                "san=dns:localhost",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                file,
                "-storepass",
                PASSWORD);
        keytool(
                "-exportcert",
                "-rfc",
                "-alias",
                "peer",
                "-keystore",
                file,
                "-storepass",
                PASSWORD,
                "-file",
                directory.resolve("peer.pem").toString());
        KeyStore own = KeyStore.getInstance(Path.of(file).toFile(), PASSWORD.toCharArray());
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return (SSLServerSocket)
                context.getServerSocketFactory().createServerSocket(0, 10, InetAddress.ofLiteral("127.0.0.1"));
    }

    private static void keytool(String... words) throws Exception {
        var command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/keytool"));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private static void serve(SSLServerSocket server) {
        while (!server.isClosed()) {
            try (SSLSocket socket = (SSLSocket) server.accept()) {
                var head = new StringBuilder();
                InputStream in = socket.getInputStream();
                for (int next = in.read(); next >= 0 && !head.toString().endsWith("\r\n\r"); next = in.read()) {
                    head.append((char) next);
                }
                String status =
                        head.toString().contains("X-Vault-Token: " + TOKEN + "\r\n") ? "200 OK" : "403 Forbidden";
                String body = "{\"data\":{\"data\":{\"password\":\"" + VALUE + "\"},\"metadata\":{\"version\":1}}}";
                socket.getOutputStream()
                        .write(("HTTP/1.1 " + status + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                                .getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // the client does not trust it, or the test is over
            }
        }
    }

    private Answer secret(String input, String... words) {
        var all = new ArrayList<>(List.of("secret"));
        all.addAll(List.of(words));
        var out = new StringWriter();
        var err = new StringWriter();
        int status = new GivenCaller(
                        Map.of("CAISSON_DATA", directory.toString()), input.getBytes(StandardCharsets.UTF_8))
                .run(() -> Main.execute(
                        new PrintWriter(out), new PrintWriter(err), Terminal.NONE, all.toArray(String[]::new)));
        assertThat(out + "" + err).doesNotContain(VALUE, TOKEN);
        return new Answer(status, out.toString(), err.toString());
    }
}
