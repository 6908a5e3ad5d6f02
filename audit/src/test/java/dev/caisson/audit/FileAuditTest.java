package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.avaje.jsonb.Jsonb;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FileAuditTest {
    @TempDir
    Path root = Path.of("");

    private Report audit(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        return audit(Optional.empty(), Optional.empty(), name);
    }

    private Report audit(Optional<Path> waivers, Optional<Path> baseline, String... names) {
        return FileAudit.run(FileRequests.knowing(root, waivers, baseline, names));
    }

    static Stream<RuleCases.Case> cases() {
        return RuleCases.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void each_rule_fails_the_bad_file_and_passes_the_good_one(RuleCases.Case rule) throws IOException {
        Files.writeString(root.resolve("secret.env"), "API_TOKEN=abcdefgh\n");
        assertThat(told(audit(rule.fileName(), rule.bad()))).contains(rule.check());
        Report good = audit(rule.fileName(), rule.good());
        assertThat(told(good)).doesNotContain(rule.check());
        if (!Checks.named(rule.check()).id().startsWith("CSN-FL-")) {
            assertThat(good.findings())
                    .as("the rule was asked")
                    .anyMatch(finding -> finding.check().name().equals(rule.check()));
        }
    }

    /// What a report lists; the checks of the audit itself, of files and waivers, are not failures all of them.
    private static List<String> told(Report report) {
        return report.notable().stream()
                .filter(finding ->
                        finding.status() == Status.FAIL || finding.check().id().startsWith("CSN-FL-"))
                .map(finding -> finding.check().name())
                .toList();
    }

    @Test
    void no_rule_lacks_its_bad_and_its_good_file() {
        Set<String> covered = new HashSet<>();
        RuleCases.ALL.forEach(rule -> covered.add(rule.check()));

        assertThat(Checks.all())
                .allSatisfy(check -> assertThat(covered).as(check.id()).contains(check.name()));
    }

    @Test
    void every_check_names_its_like_in_other_tools_or_says_that_there_is_none() throws IOException {
        try (InputStream table = Checks.class.getResourceAsStream("checks.tsv")) {
            assertThat(new String(table.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .skip(1))
                    .allMatch(line -> !line.split("\t", -1)[5].isBlank());
        }
        assertThat(Checks.all()).allMatch(check -> !check.alike().contains("none"));
    }

    @Test
    void a_waiver_covers_its_line_until_its_day() throws IOException {
        String bad =
                "services:\n  web:\n    image: a\n    # caisson: allow privileged needs KVM until %s\n    privileged: true\n";

        Report good = audit("compose.yaml", bad.formatted("2026-11-25"));
        Report late = audit("compose.yaml", bad.formatted("2026-11-24"));
        Report vague = audit("compose.yaml", bad.formatted("some day"));

        assertThat(FileRequests.failed(good)).doesNotContain("privileged");
        assertThat(good.findings()).anyMatch(finding -> finding.status() == Status.WAIVED);
        assertThat(FileRequests.failed(late)).contains("privileged", "waiver-expired");
        assertThat(FileRequests.failed(vague)).contains("privileged", "waiver-invalid");
    }

    @Test
    void a_waiver_file_names_check_subject_and_reason() throws IOException {
        audit("compose.yaml", "services:\n  web:\n    image: a\n    privileged: true\n");
        Path waivers = root.resolve("w.yaml");
        Files.writeString(waivers, """
                waivers:
                - {check: CSN-WL-006, subject: '*service web', reason: r, until: 2027-01-01}
                - {check: host-pid, reason: r, until: 2027-01-01}
                - {check: nonsense, reason: r, until: 2027-01-01}
                """);

        Report report = audit(Optional.of(waivers), Optional.empty(), "compose.yaml");

        assertThat(FileRequests.failed(report)).doesNotContain("privileged").contains("waiver-invalid");
        assertThat(report.findings()).anyMatch(finding -> finding.check().name().equals("waiver-unused"));
    }

    @Test
    void a_baseline_that_nests_without_end_is_refused() throws IOException {
        Files.writeString(root.resolve("compose.yaml"), "services: {}\n");
        Path baseline = root.resolve("b.json");
        Files.writeString(baseline, "{\"findings\":" + "[".repeat(200_000));

        assertThatThrownBy(() -> audit(Optional.empty(), Optional.of(baseline), "compose.yaml"))
                .isInstanceOfSatisfying(
                        AuditException.class,
                        e -> assertThat(e.code()).isEqualTo(AuditException.Code.BASELINE_INVALID.name()));
    }

    @Test
    void a_baseline_knows_findings_again_when_lines_move() throws IOException {
        Report before = audit("compose.yaml", "services:\n  web:\n    image: a\n    privileged: true\n");
        Path baseline = root.resolve("b.json");
        Files.writeString(baseline, ReportFormat.JSON.write(before));
        Files.writeString(
                root.resolve("compose.yaml"),
                "# x\n\nservices:\n  web:\n    image: a\n    pid: host\n    privileged: true\n");

        Report after = audit(Optional.empty(), Optional.of(baseline), "compose.yaml");

        assertThat(before.exitCode()).isEqualTo(1);
        assertThat(after.findings().stream()
                        .filter(Finding::open)
                        .map(f -> f.check().name()))
                .containsExactly("host-pid");
    }

    @Test
    void exit_codes_tell_clean_failed_and_partly_evaluated() throws IOException {
        assertThat(audit("Dockerfile", "FROM a:1@sha256:" + "0".repeat(64) + "\nUSER 1000\n")
                        .exitCode())
                .isZero();
        assertThat(audit("Dockerfile", "FROM alpine\n").exitCode()).isEqualTo(1);
        assertThat(audit("Dockerfile", "FROM a\nNONSENSE x\n").exitCode()).isEqualTo(3);
        assertThatThrownBy(() -> audit(Optional.empty(), Optional.empty(), "missing"))
                .isInstanceOf(AuditException.class);
    }

    @Test
    void a_secret_is_in_no_report() throws IOException {
        Report report = audit(
                "compose.yaml",
                "services:\n  web:\n    image: a\n    environment:\n      DB_PASSWORD: correct-horse-battery\n");

        assertThat(FileRequests.failed(report)).contains("secret-in-environment");
        for (ReportFormat format : ReportFormat.values()) {
            assertThat(format.write(report)).as(format.name()).doesNotContain("correct-horse-battery");
        }
    }

    @Test
    void a_directory_is_walked_and_an_override_belongs_to_its_project() throws IOException {
        audit("a/compose.yaml", "services:\n  web:\n    image: a\n    privileged: true\n");
        audit("a/compose.override.yaml", "services:\n  web:\n    privileged: false\n");
        audit("b/Dockerfile", "FROM alpine\n");
        audit("node_modules/x/Dockerfile", "FROM a\n");

        Report report = audit(Optional.empty(), Optional.empty(), "a", "b");

        assertThat(FileRequests.failed(report)).doesNotContain("privileged").contains("image-user-root");
        assertThat(audit(Optional.empty(), Optional.empty(), ".").findings())
                .noneMatch(finding -> finding.subject().name().contains("node_modules"));
    }

    @Test
    void reports_are_well_formed_and_the_same_each_time() throws IOException {
        Report report = audit("compose.yaml", "services:\n  web:\n    image: a\n    sysctls: [\"a<b>&|=1\"]\n");

        assertThat(ReportFormat.JUNIT.write(report))
                .contains("a&lt;b&gt;&amp;|")
                .doesNotContain("a<b>");
        assertThat(Jsonb.instance().type(Object.class).fromJson(ReportFormat.SARIF.write(report)))
                .isInstanceOf(Map.class);
        Report again = audit(Optional.empty(), Optional.empty(), "compose.yaml");
        for (ReportFormat format : ReportFormat.values()) {
            assertThat(format.write(again)).isEqualTo(format.write(report));
        }
    }
}
