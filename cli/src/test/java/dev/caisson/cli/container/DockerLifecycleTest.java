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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// The contract for Docker, in a dockerd of the test's own: it shows that the contract is Docker's.
/// Needs Debian's packages docker.io, docker-cli and busybox-static.
@Tag("peers")
class DockerLifecycleTest extends LifecycleContract {
    private static final String IMAGE = "busybox";

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    private static @Nullable Process daemon;

    @BeforeAll
    static void startDocker() throws Exception {
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
        daemon = started;
        while (run("docker", "version").status() != 0) {
            assertThat(started.isAlive())
                    .as(Files.readString(directory.resolve("log")))
                    .isTrue();
            Thread.sleep(200);
        }
        Path root = directory.resolve("root");
        BusyboxRoot.make(root);
        Answer imported = run("sh", "-c", "tar -C " + root + " -c . | docker import - " + IMAGE);
        assertThat(imported.status()).as(imported.toString()).isZero();
    }

    @AfterAll
    static void stopDocker() throws Exception {
        Process started = daemon;
        if (started != null) {
            started.destroy();
            assertThat(started.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Override
    Answer engine(String... words) {
        var command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(words));
        return run(command.toArray(String[]::new));
    }

    @Override
    String image() {
        return IMAGE;
    }

    @Override
    boolean has(Difference difference) {
        return false;
    }

    private static Answer run(String... command) {
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
}
