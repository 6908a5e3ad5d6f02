package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `ADD` of addresses, from a server of the test's.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class AddTest {
    @TempDir
    private Path directory;

    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private BuildBed bed;
    private ServerSocket server;
    private String base;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "add");
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        base = "http://127.0.0.1:" + server.getLocalPort();
        Thread.ofPlatform().daemon().start(this::serve);
    }

    @AfterEach
    void close() throws IOException {
        server.close();
        bed.close();
    }

    private void serve() {
        while (!server.isClosed()) {
            try (Socket one = server.accept()) {
                var in = new BufferedReader(new InputStreamReader(one.getInputStream(), StandardCharsets.US_ASCII));
                String path = in.readLine().split(" ", -1)[1];
                for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
                    // headers say nothing here
                }
                OutputStream out = one.getOutputStream();
                out.write(answers.getOrDefault(path, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                        .getBytes(StandardCharsets.UTF_8));
                out.flush();
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private void answer(String path, String content) {
        answers.put(
                path,
                "HTTP/1.1 200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\nContent-Length: "
                        + content.length() + "\r\n\r\n" + content);
    }

    private static String sum(String content) throws Exception {
        return "sha256:"
                + HexFormat.of()
                        .formatHex(
                                MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void an_address_becomes_a_file_with_its_name_and_time() throws Exception {
        answer("/dir/tool?v=1", "content");
        BuildResult result = bed.build("FROM busybox:1", "ADD " + base + "/dir/tool?v=1 /opt/");
        assertThat(bed.read(result, "opt/tool")).contains("content");
        assertThat(bed.run(result, "stat -c '%a %u %Y' /opt/tool")).isEqualTo("600 0 1767225600\n");
        bed.build("FROM busybox:1", "ADD " + base + "/dir/tool?v=1 /opt/");
        assertThat(bed.heard.cached).hasSize(1);
        answer("/dir/tool?v=1", "changed");
        bed.build("FROM busybox:1", "ADD --chmod=755 " + base + "/dir/tool?v=1 /opt/");
        assertThat(bed.heard.cached).isEmpty();
    }

    @Test
    void a_checksum_is_kept_to() throws Exception {
        answer("/a", "content");
        bed.build("FROM busybox:1", "ADD --checksum=" + sum("content") + " " + base + "/a /a");
        BuildException failure = bed.failure("FROM busybox:1", "ADD --checksum=" + sum("other") + " " + base + "/a /a");
        assertThat(failure.code()).isEqualTo("BUILD_ADD_CHECKSUM");
        assertThat(failure.sentence()).startsWith("Dockerfile:2:").contains(sum("content"));
    }

    @Test
    void an_address_that_leads_elsewhere_is_looked_at_again() throws Exception {
        answer("/a", "content");
        answers.put("/ok", "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        for (String to : new String[] {"http://192.0.2.1/x", "file:///etc/passwd", "http://localhost.example/x"}) {
            answers.put(
                    "/bad",
                    "HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            assertThat(bed.failure("FROM busybox:1", "ADD " + base + "/bad /a").code())
                    .as(to)
                    .isEqualTo("BUILD_ADD_ADDRESS");
        }
        answers.put("/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assertThat(bed.failure("FROM busybox:1", "ADD " + base + "/loop /a").sentence())
                .contains("more than 10 times");
        assertThat(bed.read(bed.build("FROM busybox:1", "ADD " + base + "/ok /a"), "a"))
                .contains("content");
    }

    @Test
    void what_cannot_be_fetched_is_refused() throws Exception {
        assertThat(bed.failure("FROM busybox:1", "ADD http://192.0.2.1/a /a").sentence())
                .contains("https");
        assertThat(bed.failure("FROM busybox:1", "ADD https://user:pw@example.org/a /a")
                        .sentence())
                .contains("password")
                .doesNotContain("pw@");
        assertThat(bed.failure("FROM busybox:1", "ADD " + base + "/missing /a").sentence())
                .contains("404");
        assertThat(bed.failure("FROM busybox:1", "ADD " + base + "/ /a/").sentence())
                .contains("no name");
        answers.put("/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nx");
        assertThat(bed.failure("FROM busybox:1", "ADD " + base + "/short /a").code())
                .isEqualTo("BUILD_ADD_ADDRESS");
    }
}
