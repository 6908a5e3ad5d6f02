package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.BaseImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The files that run the audit everywhere. The manifests pass it: what is open in them is waived there, with a
/// reason.
class DeployFilesTest {
    private static final Path HOME = Path.of(System.getProperty("caisson.root"), "deploy/kubernetes");

    @ParameterizedTest
    @ValueSource(strings = {"audit-daemonset.yaml", "audit-cronjob.yaml"})
    void a_manifest_of_ours_has_no_open_finding(String name) {
        Report report = FileAudit.run(FileRequests.of(HOME, BaseImages.NONE, Severity.INFO, name));

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

    /// A read-only mount is not so for what is mounted below it, unless all of it is asked to be.
    @ParameterizedTest
    @ValueSource(strings = {"audit-daemonset.yaml", "audit-cronjob.yaml"})
    void the_nodes_files_are_read_only_to_the_last_mount_and_what_the_pod_can_do_is_told(String name)
            throws IOException {
        String text = Files.readString(HOME.resolve(name));

        assertThat(text.lines().filter(line -> line.contains("mountPath: /host")))
                .singleElement(InstanceOfAssertFactories.STRING)
                .contains("readOnly: true", "recursiveReadOnly: Enabled", "mountPropagation: None");
        assertThat(text.lines().filter(line -> line.contains("hostPath: {"))).hasSize(1);
        assertThat(text)
                .contains("# Whoever gets into its pod has the node")
                .contains("whoever holds this pod holds the node until")
                .doesNotContain("nothing can be written")
                .as("an image's own entry point is not known")
                .containsPattern("command: \\[caisson]\n +args: \\[audit,");
        assertThat(HOME.resolveSibling("README.md")).content().contains("as good as root on its node");
    }

    @Test
    void the_playbook_makes_the_directory_that_it_keeps_reports_in() throws IOException {
        String text = Files.readString(HOME.resolveSibling("ansible/audit.yml"));

        assertThat(text.indexOf("path: \"{{ reports }}\""))
                .isPositive()
                .isLessThan(text.indexOf("dest: \"{{ reports }}/"));
        assertThat(text.substring(text.indexOf("path: \"{{ reports }}\""), text.indexOf("- name: Keep the report")))
                .contains("state: directory", "mode: \"0700\"", "delegate_to: localhost", "become: false");
    }
}
