package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.watch.DenialReasons;
import dev.caisson.watch.DenialWatch;
import dev.caisson.watch.PidNamespace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A container of Docker's with its default profile, in a dockerd of the test's own. Needs Debian's packages docker.io,
/// docker-cli and busybox-static.
@Tag("peers")
@Timeout(180)
class DockerDenialTest {
    private static final int MOST_LOOKS = 3000;

    private Path directory = Path.of("");
    private final List<Process> daemons = new ArrayList<>();

    @BeforeEach
    void startDocker() throws Exception {
        assumeTrue(PidNamespace.ofThisProcess().isInitial(), "the tests have a pid namespace of their own");
        directory = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-watch");
        String at = directory.toString();
        daemons.add(new ProcessBuilder(
                        "unshare",
                        "--net",
                        "--mount", // what it mounts goes with it
                        "dockerd",
                        "--data-root=" + at + "/data",
                        "--exec-root=" + at + "/exec",
                        "--pidfile=" + at + "/docker.pid",
                        "--host=unix://" + at + "/docker.sock",
                        "--iptables=false",
                        "--bridge=none")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start());
        while (run("docker", "version").isEmpty()) {
            assertThat(daemons.getFirst().isAlive())
                    .as(Files.readString(directory.resolve("log")))
                    .isTrue();
            Thread.sleep(200);
        }
        BusyboxEngine.makeRoot(directory.resolve("root"));
        must("sh", "-c", "tar -C " + at + "/root -c . | docker import - busybox");
    }

    @AfterEach
    void stopDocker() throws Exception {
        if (daemons.isEmpty()) {
            return; // it was not started here
        }
        run("sh", "-c", "docker rm -f $(docker ps -aq)");
        for (Process daemon : daemons) {
            daemon.destroy();
            assertThat(daemon.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        BusyboxEngine.removeTree(directory);
    }

    @Test
    void what_dockers_filter_denies_is_told_and_what_the_kernel_refuses_is_not() throws Exception {
        String script = "while [ ! -e /tmp/go ]; do sleep 0.05; done; mkdir /proc/none; mount -t tmpfs none /tmp;"
                + " sleep 100";
        must("docker", "run", "-d", "--name", "denied", "--network", "none", "busybox", "sh", "-c", script);
        int pid = Integer.parseInt(must("docker", "inspect", "-f", "{{.State.Pid}}", "denied"));
        try (DenialWatch watch = DenialWatch.of(pid, DenialReasons.ofHost(pid))) {
            Files.createFile(Path.of("/proc/" + pid + "/root/tmp/go"));
            var seen = new ArrayList<DenialWatch.Seen>();
            for (int look = 0; seen.isEmpty() && look < MOST_LOOKS; look++) {
                seen.addAll(watch.next());
                Thread.sleep(2);
            }
            assertThat(seen).singleElement().satisfies(one -> {
                assertThat(one.denial().call()).contains(" mount(");
                assertThat(one.denial().answer()).isEqualTo("ERRNO(EPERM)");
                assertThat(String.join(" ", one.denial().reasons())).contains("CAP_SYS_ADMIN");
            });
        }
    }

    private String must(String... command) throws IOException, InterruptedException {
        String output = run(command);
        assertThat(output).as(String.join(" ", command)).isNotEmpty();
        return output;
    }

    /// @return what it printed; nothing where it failed
    private String run(String... command) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(Stream.of(command).toList()).redirectErrorStream(true);
        builder.environment().put("DOCKER_HOST", "unix://" + directory.resolve("docker.sock"));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() == 0 ? output.strip() : "";
    }
}
