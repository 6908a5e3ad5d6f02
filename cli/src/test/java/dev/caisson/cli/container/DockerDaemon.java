package dev.caisson.cli.container;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A dockerd of a test's own, without a network of the host's, with an image of busybox.
/// Needs Debian's packages docker.io, docker-cli and busybox-static.
final class DockerDaemon implements AutoCloseable {
    static final String IMAGE = "busybox";

    private final Path directory;
    private final Process process;

    private DockerDaemon(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    /// @param directory for all its files
    static DockerDaemon start(Path directory) throws IOException, InterruptedException {
        Process started = new ProcessBuilder(
                        "unshare",
                        "--net",
                        "--mount", // what it mounts goes with it
                        "dockerd",
                        "--data-root=" + directory.resolve("data"),
                        "--exec-root=" + directory.resolve("exec"),
                        "--pidfile=" + directory.resolve("docker.pid"),
                        "--host=unix://" + directory.resolve("docker.sock"),
                        "--iptables=false",
                        "--bridge=none")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        var daemon = new DockerDaemon(directory, started);
        while (daemon.docker("version").status() != 0) {
            assertThat(started.isAlive())
                    .as(Files.readString(directory.resolve("log")))
                    .isTrue();
            Thread.sleep(200);
        }
        Path root = directory.resolve("root");
        BusyboxRoot.make(root);
        Answer imported = daemon.run("sh", "-c", "tar -C " + root + " -c . | docker import - " + IMAGE);
        assertThat(imported.status()).as(imported.toString()).isZero();
        return daemon;
    }

    /// Runs a command of Docker's client.
    Answer docker(String... words) {
        var command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(words));
        return run(command.toArray(String[]::new));
    }

    private Answer run(String... command) {
        try {
            Path errors = Files.createTempFile(directory, "errors", "");
            var builder = new ProcessBuilder(command).redirectError(errors.toFile());
            builder.environment().put("DOCKER_HOST", "unix://" + directory.resolve("docker.sock"));
            Process process = builder.start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            var answer = new Answer(process.waitFor(), out, Files.readString(errors));
            Files.delete(errors);
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
