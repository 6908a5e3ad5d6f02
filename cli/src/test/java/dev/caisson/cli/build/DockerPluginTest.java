package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The plugin of Docker's command line, called by Docker's own. In place of `caisson` stands a program that prints its
/// arguments.
@Tag("peers")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class DockerPluginTest {
    private static final int STATUS = 7;

    @TempDir
    private Path directory;

    @BeforeEach
    void install() throws IOException {
        Path plugin = Files.createDirectories(directory.resolve("a clone/integrations/docker"))
                .resolve("docker-caisson");
        Files.copy(Path.of("../integrations/docker/docker-caisson").toRealPath(), plugin);
        Path program = Files.writeString(
                directory.resolve("a clone/caisson"), "#!/bin/bash\nprintf '[%s]' \"$@\"\nexit " + STATUS + "\n");
        for (Path one : List.of(plugin, program)) {
            Files.setPosixFilePermissions(one, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Path plugins = Files.createDirectories(directory.resolve("home/.docker/cli-plugins"));
        Files.createSymbolicLink(plugins.resolve("docker-caisson"), plugin);
        Files.writeString(plugins.resolveSibling("config.json"), "{\"aliases\": {\"builder\": \"caisson\"}}");
    }

    private record Answer(String output, int status) {}

    private Answer docker(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("HOME", directory.resolve("home").toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(output, process.waitFor());
    }

    @Test
    void docker_build_builds_here() throws Exception {
        assertThat(docker("build", "-t", "a b", "--build-arg", "X=", "."))
                .isEqualTo(new Answer("[build][-t][a b][--build-arg][X=][.]", STATUS));
        assertThat(docker("image", "build", ".")).isEqualTo(new Answer("[build][.]", STATUS));
    }

    @Test
    void docker_caisson_runs_every_command() throws Exception {
        assertThat(docker("caisson", "run", "--rm", "x")).isEqualTo(new Answer("[run][--rm][x]", STATUS));
        assertThat(docker("--help").output()).contains("Build and run with Caisson");
    }

    @Test
    void options_of_docker_are_refused() throws Exception {
        Answer answer = docker("-H", "tcp://192.0.2.1", "build", ".");
        assertThat(answer.status()).isEqualTo(125);
        assertThat(answer.output()).startsWith("caisson: USAGE: ");
    }
}
