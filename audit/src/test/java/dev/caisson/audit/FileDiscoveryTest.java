package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileDiscoveryTest {
    private static final String MANIFEST = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n";

    @TempDir
    Path root = Path.of("");

    private Report walk() {
        return FileAudit.run(FileRequests.of(root, BaseImages.NONE, Severity.CRITICAL, "."));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            compose.yaml               | 'services: {web: {privileged: true}}'
            compose.prod.yaml          | 'services: {web: {privileged: true}}'
            compose.override.yaml      | 'services: {web: {image: a}}'
            compose.override.yaml      | 'services: {web: {build: .}}'
            compose.hardened.yaml      | 'services: {web: {extends: {file: x.yaml, service: y}}}'
            compose.hardened.yaml      | 'services: {web: {provider: {type: x}}}'
            compose.hardened.yaml      | 'include: [x.yaml]'
            compose.hardened.yaml      | 'services: {web: {'
            """)
    void the_first_line_of_a_proposal_hides_no_project(String name, String text) throws IOException {
        Files.writeString(root.resolve(name), Proposal.MARK + "\n" + text + "\n");

        assertThat(walk().findings())
                .isNotEmpty()
                .allMatch(finding -> finding.subject().name().startsWith(name));
    }

    @Test
    void a_proposal_that_runs_nothing_is_no_project() throws IOException {
        for (String name : List.of("compose.override.yaml", "x.compose.hardened.yaml", "compose.override-2.yaml")) {
            Files.writeString(root.resolve(name), Proposal.MARK + "\nservices:\n  web:\n    ports: !reset []\n");
        }

        assertThat(walk().findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("nothing to judge"));
    }

    @Test
    void a_manifest_that_cannot_be_read_is_told() throws IOException {
        byte[] large =
                (MANIFEST + "# " + "x".repeat(Source.MAX_BYTES)).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        Files.write(root.resolve("large.yaml"), large);
        Files.writeString(root.resolve("data.json"), "[" + "1,".repeat(Source.MAX_BYTES / 2) + "1]");

        Report report = walk();

        assertThat(report.findings())
                .extracting(finding -> finding.subject() + " " + finding.status() + " "
                        + finding.check().name())
                .containsExactly("large.yaml NOT_EVALUATED file-not-understood");
        assertThat(report.findings().getFirst().message()).contains("CF-103");
        assertThat(report.exitCode()).isEqualTo(3);
    }

    @Test
    void what_cannot_be_opened_is_told() throws IOException {
        Path file = Files.writeString(root.resolve("closed.yaml"), MANIFEST);
        Path directory = Files.createDirectory(root.resolve("closed"));
        Files.writeString(directory.resolve("Dockerfile"), "FROM a\n");
        try (Closed one = new Closed(file);
                Closed other = new Closed(directory)) {
            org.junit.jupiter.api.Assumptions.assumeFalse(
                    one.mayBeRead() || other.mayBeRead(), "root reads everything");

            Report report = walk();

            assertThat(report.findings())
                    .extracting(finding -> finding.subject() + " " + finding.status())
                    .containsExactlyInAnyOrder("closed NOT_EVALUATED", "closed.yaml NOT_EVALUATED");
            assertThat(report.exitCode()).isEqualTo(3);
        }
    }

    /// A file without permissions, until the end.
    private record Closed(Path file) implements AutoCloseable {
        Closed {
            permit("---------", file);
        }

        boolean mayBeRead() {
            return Files.isReadable(file);
        }

        private static void permit(String mode, Path file) {
            try {
                Files.setPosixFilePermissions(file, java.nio.file.attribute.PosixFilePermissions.fromString(mode));
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            permit("rwxr-xr-x", file);
        }
    }
}
