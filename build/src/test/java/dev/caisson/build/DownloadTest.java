package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Source;
import dev.caisson.containerfile.Place;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Servers that answer an `ADD` slowly.
@Tag("root")
@Timeout(60)
class DownloadTest {
    private static final Duration WINDOW = Duration.ofSeconds(1);

    @TempDir
    private Path directory;

    /// Answers one request with this head, and then with a byte now and then until nobody reads any more.
    private static void trickle(ServerSocket server, String head) {
        Thread.ofVirtual().start(() -> {
            try (Socket socket = server.accept()) {
                socket.getInputStream().read(new byte[4096]);
                socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
                while (true) {
                    socket.getOutputStream().write('x');
                    Thread.sleep(100);
                }
            } catch (IOException | InterruptedException e) {
                // nobody reads any more
            }
        });
    }

    private BuildException failure(String head) throws Exception {
        Path state = Files.createDirectory(directory.resolve("state"));
        Path data = Files.createDirectory(directory.resolve("data"));
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Workplace workplace = Workplace.open(state, data)) {
            trickle(server, head);
            String url = "http://127.0.0.1:" + server.getLocalPort() + "/file";
            var copy = new Copy(
                    new Operation.Origin.Context(),
                    List.of(new Source.Address(
                            url, new Place(dev.caisson.containerfile.Source.of("Dockerfile", "ADD a b\n"), 4, 5))),
                    "/file",
                    "",
                    Optional.empty(),
                    List.of(),
                    false,
                    Operation.Unpacking.NONE,
                    Optional.empty(),
                    false);
            return assertThatExceptionOfType(BuildException.class)
                    .isThrownBy(() -> new Download(workplace, WINDOW).all(copy))
                    .actual();
        }
    }

    @Test
    void one_that_trickles_holds_no_build() throws Exception {
        BuildException failure = failure("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");

        assertThat(failure.code()).isEqualTo("BUILD_ADD_ADDRESS");
        assertThat(failure.sentence()).startsWith("Dockerfile:1:5: ").contains("next to nothing for 1 seconds");
    }

    @Test
    void one_that_never_ends_its_head_holds_none_either() throws Exception {
        assertThat(failure("HTTP/1.1 200 OK\r\nX: ").code()).isEqualTo("BUILD_ADD_ADDRESS");
    }
}
