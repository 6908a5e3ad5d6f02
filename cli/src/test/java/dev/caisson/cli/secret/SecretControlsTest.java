package dev.caisson.cli.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.secret.SecretValue;
import dev.caisson.selftest.DockerDaemon;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The search of the canary finds what another engine leaks: a variable of `docker run -e`, and a file that is mounted.
@Tag("root")
@Tag("peers")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class SecretControlsTest {
    private static final String PARENT =
            "caisson-canary-docker-" + ProcessHandle.current().pid();
    private static final Limits CEILING =
            Limits.unlimited().memory(Bytes.mebibytes(1024)).pids(1000);

    @TempDir
    private Path directory;

    @Test
    void a_variable_of_docker_is_found_in_a_process_and_on_its_disk_and_a_mounted_file_where_it_lies()
            throws Exception {
        assumeTrue(DockerDaemon.isPossible());
        Path daemon = directory.resolve("docker");
        try (Hierarchy hierarchy = Hierarchy.detect();
                SecretValue value = SecretValue.generate(43);
                var search = new CanarySearch(value, Instant.now().minusSeconds(1))) {
            Cgroup group = hierarchy.createParent(PARENT + "/daemon", CEILING);
            try (DockerDaemon docker = DockerDaemon.start(daemon, group)) {
                assertThat(search.files(directory)).isEmpty();
                assertThat(search.ofProcesses()).isEmpty();
                byte[] bytes = value.copy();
                String text = new String(bytes, StandardCharsets.US_ASCII);
                Path plain = Files.write(
                        Files.createDirectory(directory.resolve("mounted")).resolve("token"), bytes);
                Arrays.fill(bytes, (byte) 0);
                var options = new ArrayList<>(List.of("-d", "-e", "TOKEN=" + text));
                options.addAll(List.of("--volume", plain + ":/tmp/token:ro"));
                run(docker.run("canary", PARENT, options, "sleep", "1000"));

                assertThat(search.ofProcesses()).anyMatch(found -> found.startsWith("a variable of process"));
                assertThat(search.files(Objects.requireNonNull(plain.getParent())))
                        .containsExactly(plain + " has it, as it is");
                run(List.of("sync"));
                try (var stream = search.stream();
                        InputStream disk = Files.newInputStream(daemon.resolve("disk"))) {
                    disk.transferTo(stream);
                    assertThat(stream.forms()).isNotEmpty(); // config.v2.json
                }
            } finally {
                removeGroups(hierarchy);
            }
        }
    }

    private static void run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private static void removeGroups(Hierarchy hierarchy) throws IOException {
        hierarchy.removeStale(PARENT, _ -> true);
        hierarchy.removeParent(PARENT);
        try (Stream<Path> trees = Files.list(Path.of("/sys/fs/cgroup"))) {
            for (Path tree : trees.map(tree -> tree.resolve(PARENT))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> below = Files.walk(tree)) {
                    for (Path one : below.filter(Files::isDirectory)
                            .sorted(Comparator.reverseOrder())
                            .toList()) {
                        Files.delete(one);
                    }
                }
            }
        }
    }
}
