package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cli.caller.CommandException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentOptionsTest {
    @TempDir
    private Path directory;

    @Test
    void an_agent_is_named_by_its_socket() throws IOException {
        Path socket = directory.resolve("agent");
        try (var listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(socket));

            assertThat(AgentOptions.parse(List.of("default=" + socket, "deploy=" + socket)))
                    .isEqualTo(Map.of("default", socket, "deploy", socket));
            refused("twice", "default=" + socket, "default=" + socket);
        }
    }

    @Test
    void a_key_in_a_file_is_refused_with_what_to_do() throws IOException {
        Path key = Files.writeString(directory.resolve("id_ed25519"), "key");

        refused("ssh-add", "default=" + key);
        refused("cannot be opened", "default=" + directory.resolve("none"));
        refused("is ID or ID=SOCKET", "=" + key);
    }

    private static void refused(String why, String... texts) {
        assertThatThrownBy(() -> AgentOptions.parse(List.of(texts)))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(why);
    }
}
