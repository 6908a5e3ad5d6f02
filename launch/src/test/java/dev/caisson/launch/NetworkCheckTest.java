package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.Verifier.Check;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What `/proc/PID/net` says of a resolver's sockets.
class NetworkCheckTest {
    private static final String UDP =
            "  12: 0B00007F:EE7D 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 99 2 0\n";
    private static final String TCP =
            "   0: 0B00007F:EE7D 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 98 1 0\n";

    @TempDir
    private Path process;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectory(process.resolve("net"));
        write("udp", UDP);
        write("tcp", TCP);
    }

    private void write(String name, String lines) throws IOException {
        Files.writeString(process.resolve("net").resolve(name), "  sl  local_address rem_address   st\n" + lines);
    }

    private Check check() {
        try (Fd directory = FileSystem.open(process.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return NetworkCheck.resolver(new Step.Resolver(61053, 61053), directory);
        }
    }

    @Test
    void sockets_of_a_resolver_that_are_there_are_as_planned() {
        assertThat(check().asPlanned()).isTrue();
        assertThat(check().found()).isEqualTo("127.0.0.11, udp 61053, tcp 61053");
    }

    @Test
    void a_socket_of_a_resolver_that_is_gone_at_another_port_or_does_not_listen_is_told() throws IOException {
        write("udp", "");
        assertThat(check().found()).isEqualTo("127.0.0.11, no udp, tcp 61053");
        write("udp", UDP.replace("EE7D", "EE7E"));
        assertThat(check().asPlanned()).isFalse();
        write("udp", UDP);
        write("tcp", TCP.replace(" 0A ", " 01 "));
        assertThat(check().found()).isEqualTo("127.0.0.11, udp 61053, no tcp");
    }
}
