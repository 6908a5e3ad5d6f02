package dev.caisson.selftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The same attacks on a dockerd with its default settings.
@Tag("root")
@Tag("peers")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class DockerSuiteTest {
    private static final Path DATA = Path.of("/var/lib/caisson-test");
    private static final String OWN =
            "selftest-docker-" + ProcessHandle.current().pid();

    private static Attack attack(String name) {
        return Attacks.all().stream()
                .filter(attack -> attack.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void a_limit_is_told_from_the_ceiling_of_the_test_and_nothing_is_left() throws Exception {
        assumeTrue(DockerDaemon.isPossible() && DosSuite.isPossible());
        Files.createDirectories(DATA);

        try (var suite = new DockerSuite(DATA)) {
            Comparison forks = suite.run(attack("fork-bomb"));
            assertThat(forks.stoppedBy()).endsWith("the test's own ceiling, 2000 processes");
            assertThat(forks.seen()).matches("19\\d\\d, then: Resource temporarily unavailable");
            // root of the host and of its containers are one user, so what others leave that user decides this
            assertThat(forks.neighbour()).isNotEmpty();

            Comparison device = suite.run(attack("dev-fill"));
            assertThat(device.stoppedBy()).isEqualTo("a limit or a refusal");
            assertThat(device.seen()).isEqualTo("64, then: No space left on device");

            Comparison disk = suite.run(attack("disk-fill"));
            assertThat(disk.stoppedBy()).endsWith("disk of 1 GiB");
            assertThat(running()).isPositive();
        }

        assertThat(DATA.resolve(OWN)).doesNotExist();
        assertThat(running()).isZero();
        try (Stream<Path> trees = Files.list(Path.of("/sys/fs/cgroup"))) {
            assertThat(trees.map(tree -> tree.resolve("caisson-" + OWN))).noneMatch(Files::exists);
        }
    }

    private static long running() {
        return ProcessHandle.allProcesses().filter(DockerSuiteTest::isOurs).count();
    }

    private static boolean isOurs(ProcessHandle process) {
        try {
            return Files.readString(
                            Path.of("/proc/" + process.pid() + "/cmdline"),
                            java.nio.charset.StandardCharsets.ISO_8859_1)
                    .contains(DATA + "/" + OWN + "/exec");
        } catch (IOException e) {
            return false; // it has ended
        }
    }
}
