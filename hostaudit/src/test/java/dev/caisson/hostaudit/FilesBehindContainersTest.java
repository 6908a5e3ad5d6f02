package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Location;
import dev.caisson.audit.Severity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A container that Debian's `docker-compose` started from an image built here, in a dockerd of the test's own.
@Tag("peers")
@Timeout(300)
class FilesBehindContainersTest {
    private static List<String> places(List<Finding> findings, String check, String subject) {
        return findings.stream()
                .filter(finding -> finding.check().name().equals(check)
                        && finding.subject().name().startsWith(subject))
                .flatMap(finding -> finding.evidence().stream())
                .flatMap(evidence -> evidence.location().stream())
                .map(Location::toString)
                .toList();
    }

    @Test
    void a_finding_names_the_line_of_the_compose_file_and_of_the_dockerfile() throws Exception {
        Path work = Files.createTempDirectory("caisson-origins");
        try (Dockerd daemon = Dockerd.start(work.resolve("d"))) {
            new TestImages(daemon, work).imported("bb");
            Path project = Files.createDirectory(work.resolve("project"));
            Path dockerfile = Files.writeString(
                    project.resolve("Dockerfile"), "FROM bb\nRUN touch /made\nUSER root\nCMD [\"sleep\", \"600\"]\n");
            Path compose = Files.writeString(project.resolve("compose.yaml"), """
                    services:
                      box:
                        image: shop
                        network_mode: none
                        privileged: true
                    """);
            daemon.docker("build", "--network", "none", "--tag", "shop", project.toString());
            Dockerd.must(
                    "env",
                    "DOCKER_HOST=unix://" + daemon.socket(),
                    "docker-compose",
                    "-f",
                    compose.toString(),
                    "-p",
                    "origins",
                    "up",
                    "-d");

            List<Finding> findings = HostAudit.run(
                            new HostAuditRequest(
                                    Optional.of(daemon.socket()),
                                    Path.of("/"),
                                    Optional.empty(),
                                    Optional.empty(),
                                    Optional.empty(),
                                    2,
                                    false,
                                    System.currentTimeMillis() / 1000,
                                    LocalDate.of(2026, 11, 25),
                                    Severity.HIGH,
                                    Optional.empty(),
                                    Optional.empty()),
                            List.of(dockerfile))
                    .findings();

            assertThat(places(findings, "privileged-in-effect", "origins-box-1"))
                    .contains(compose + ":5:5");
            assertThat(places(findings, "memory-unbounded", "origins-box-1")).contains(compose + ":2:3");
            assertThat(places(findings, "image-root", "shop")).contains(dockerfile + ":3:1");
        } finally {
            Dockerd.remove(work);
        }
    }
}
