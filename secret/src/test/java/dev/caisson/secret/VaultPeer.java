package dev.caisson.secret;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;

/// A server of the key-value store, version 2, as Vault and OpenBao answer: a reader of secrets at `secret/data/…` for
/// one token, with their JSON, chunks and errors.
final class VaultPeer implements AutoCloseable {
    static final String TOKEN = "hvs.canary-of-the-token";
    private static final char[] PASSWORD = "changeit".toCharArray();

    /// Answers in place of the server.
    interface Reply {
        void to(OutputStream out) throws IOException, InterruptedException;

        static Reply of(String answer) {
            return out -> out.write(answer.getBytes(StandardCharsets.UTF_8));
        }
    }

    final List<String> requests = new CopyOnWriteArrayList<>();
    volatile Optional<Reply> instead = Optional.empty();
    private final SSLServerSocket listening;
    private final SSLContext trust;

    /// @param named in its certificate, as `dns:localhost`
    VaultPeer(Path directory, String named) throws Exception {
        Path file = directory.resolve("peer.p12");
        Files.deleteIfExists(file);
        Process keytool = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/keytool",
                        "-genkeypair",
                        "-alias",
                        "peer",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=peer",
                        "-ext",
                        "san=" + named,
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (keytool.waitFor() != 0) {
            throw new IllegalStateException(said);
        }
        KeyStore own = KeyStore.getInstance(file.toFile(), PASSWORD);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, PASSWORD);
        SSLContext serving = SSLContext.getInstance("TLS");
        serving.init(keys.getKeyManagers(), null, null);
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry("peer", own.getCertificate("peer"));
        trust = trusting(certificates);
        listening = (SSLServerSocket) serving.getServerSocketFactory().createServerSocket();
        listening.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0));
        Thread.ofVirtual().start(this::accept);
    }

    private static SSLContext trusting(KeyStore certificates) throws GeneralSecurityException {
        TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
        trusted.init(certificates);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trusted.getTrustManagers(), null);
        return context;
    }

    SSLContext trust() {
        return trust;
    }

    String address(String path) {
        return "vault://localhost:" + listening.getLocalPort() + "/" + path;
    }

    private void accept() {
        while (true) {
            try {
                Socket socket = listening.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            String head = head(socket.getInputStream());
            requests.add(head);
            OutputStream out = socket.getOutputStream();
            if (instead.isPresent()) {
                instead.get().to(out);
            } else {
                out.write(answer(head).getBytes(StandardCharsets.UTF_8));
            }
            out.flush();
        } catch (IOException | InterruptedException e) {
            // the client does not want it
        }
    }

    private static String head(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            head.write(next);
            if (head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                break;
            }
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    private static String answer(String head) {
        if (!head.contains("\r\nX-Vault-Token: " + TOKEN + "\r\n")) {
            return plain("403 Forbidden", "{\"errors\":[\"permission denied\"]}\n");
        }
        String path = head.split(" ", -1)[1];
        return switch (path) {
            case "/v1/secret/data/app/db" ->
                chunked(secret("{\"password\":\"s3cr\\u00e9t \\\"\\\\\\n\\ud83d\\ude00\",\"port\":5432}", 3));
            case "/v1/secret/data/app/db?version=2" -> plain("200 OK", secret("{\"password\":\"earlier\"}", 2));
            case "/v1/secret/data/gone" -> plain("404 Not Found", secret("null", 1));
            default -> plain("404 Not Found", "{\"errors\":[]}\n");
        };
    }

    static String secret(String data, int version) {
        return "{\"request_id\":\"0b5c1e2a-7d0c-8ef5-2d0b-5f1c1d2e3f4a\",\"lease_id\":\"\",\"renewable\":false,"
                + "\"lease_duration\":0,\"data\":{\"data\":" + data
                + ",\"metadata\":{\"created_time\":\"2026-11-28T10:00:00.123456789Z\",\"custom_metadata\":null,"
                + "\"deletion_time\":\"\",\"destroyed\":false,\"version\":" + version
                + "}},\"wrap_info\":null,\"warnings\":null,\"auth\":null,\"mount_type\":\"kv\"}\n";
    }

    static String plain(String status, String body) {
        return "HTTP/1.1 " + status
                + "\r\nCache-Control: no-store\r\nContent-Type: application/json\r\nContent-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\nConnection: close\r\n\r\n" + body;
    }

    private static String chunked(String body) {
        String start = body.substring(0, 100);
        String rest = body.substring(100);
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                + Integer.toHexString(start.length()) + "\r\n" + start + "\r\n" + Integer.toHexString(rest.length())
                + "\r\n" + rest + "\r\n0\r\n\r\n";
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
