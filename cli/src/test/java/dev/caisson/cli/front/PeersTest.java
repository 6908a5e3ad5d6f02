package dev.caisson.cli.front;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The resident engine checks its peer's uid itself, even if the directory of its socket is open to all.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class PeersTest {
    private static final String CONNECT = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(3)
            s.connect(sys.argv[1])
            try: print("ended" if s.recv(1) == b"" else "answered")
            except TimeoutError: print("awaited")
            """;

    @TempDir
    private Path state;

    private SourceWatch sources;
    private Server server;
    private Thread serving;

    @BeforeEach
    void open() throws Exception {
        sources = SourceWatch.of(state);
        try (Fd directory = FileSystem.open(state.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            server = Server.open(directory, new NoCommands(), sources).orElseThrow();
        }
        open(state, "rwxr-xr-x");
        open(state.resolve(Server.DIRECTORY), "rwxr-xr-x");
        open(socket(), "rw-rw-rw-");
        serving = Thread.ofPlatform().start(server::serve);
    }

    @AfterEach
    void close() throws InterruptedException {
        server.close();
        serving.join();
        sources.close();
    }

    private static void open(Path path, String permissions) throws Exception {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    private Path socket() {
        return state.resolve(Server.DIRECTORY).resolve("socket");
    }

    private static final class NoCommands implements Server.Commands {
        @Override
        public Server.Admission admit(Request request) {
            return new Server.Admission.Refused("none");
        }

        @Override
        public boolean takesSignals(Request request) {
            return false;
        }

        @Override
        public int run(Client client) {
            return 0;
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0, awaited", "0, 1000, awaited", "1000, 0, ended", "65534, 0, ended", "1, 1, ended"})
    void only_roots_request_is_awaited_whatever_group_it_is_in(int uid, int gid, String what) throws Exception {
        Process client = new ProcessBuilder(
                        "setpriv",
                        "--reuid=" + uid,
                        "--regid=" + gid,
                        "--clear-groups",
                        "/usr/bin/python3",
                        "-I",
                        "-c",
                        CONNECT,
                        socket().toString())
                .redirectErrorStream(true)
                .start();
        assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo(what + "\n");
    }
}
