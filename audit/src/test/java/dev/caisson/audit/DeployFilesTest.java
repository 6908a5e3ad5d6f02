package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.BaseImages;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The manifests that run the audit pass it: what is open in them is waived there, with a reason.
class DeployFilesTest {
    private static final Path HOME = Path.of(System.getProperty("caisson.root"), "deploy/kubernetes");

    @ParameterizedTest
    @ValueSource(strings = {"audit-daemonset.yaml", "audit-cronjob.yaml"})
    void a_manifest_of_ours_has_no_open_finding(String name) {
        Report report = FileAudit.run(new AuditRequest(
                HOME,
                List.of(Path.of(name)),
                Optional.empty(),
                Map.of(),
                BaseImages.NONE,
                LocalDate.of(2026, 11, 25),
                Severity.INFO,
                Optional.empty(),
                Optional.empty()));

        assertThat(report.notable()).isNotEmpty().allSatisfy(finding -> {
            assertThat(finding.status()).as(finding.message()).isEqualTo(Status.WAIVED);
            assertThat(finding.waiver().orElseThrow()).hasSizeGreaterThan(20);
        });
        assertThat(report.exitCode()).isZero();
        assertThat(report.findings())
                .as("pods are bounded and keep no more than they need")
                .filteredOn(finding -> finding.status() == Status.PASS)
                .extracting(finding -> finding.check().name())
                .contains("memory-unlimited", "cpu-unlimited", "storage-unlimited", "root-writable", "privileged")
                .contains("privileges-gained", "seccomp-off", "service-account-token", "host-network");
    }
}
