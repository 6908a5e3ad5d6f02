package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.collect.HostCollector;
import dev.caisson.hostaudit.collect.WantedFiles;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.proposals.HostProposals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The script for owners and modes is run on copies of a host's files, and they are audited anew.
@Timeout(300)
class FilesScriptTest extends ProposedFiles {
    @Test
    @Tag("root")
    void owners_and_modes_of_a_copy_pass_when_the_script_has_run() throws IOException {
        Path host = Files.createDirectories(root.resolve("a host's 'root'"));
        for (String name : List.of(
                "etc/docker/daemon.json",
                "etc/docker/certs.d/re g/ca.crt",
                "etc/default/docker",
                "etc/sysconfig/docker",
                "usr/lib/systemd/system/docker.service",
                "usr/lib/systemd/system/docker.socket")) {
            Path file = host.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, name.endsWith("json") ? "{}" : "");
            Dockerd.must("chmod", "0666", file.toString());
            Dockerd.must("chown", "65534:65534", file.toString());
        }
        Dockerd.must("chmod", "0777", host.resolve("etc/docker").toString());
        HostAuditRequest request = request(Optional.empty(), host);
        Facts facts = withoutEngine(host);
        Report before = HostAudit.judge(facts, request);
        assertThat(ofFiles(before)).hasSizeGreaterThan(10);
        Proposal proposal = HostProposals.of(before, facts, host, Map.of());
        Path out = root.resolve("out");
        proposal.writeTo(out);

        apply(proposal, "files.sh", out);

        assertThat(ofFiles(HostAudit.judge(withoutEngine(host), request))).isEmpty();
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    /// A host with one file below a directory that others may write to, and the script for it.
    private Path exposed(Path host, String name, String mode) throws IOException {
        Path file = host.resolve(name);
        Files.createDirectories(file.getParent());
        Dockerd.must("chmod", "0777", file.resolveSibling("").toString());
        Files.writeString(file, "{}");
        Dockerd.must("chmod", mode, file.toString());
        return file;
    }

    private Proposal ofFilesBelow(Path host) {
        Facts facts = withoutEngine(host);
        return HostProposals.of(HostAudit.judge(facts, request(Optional.empty(), host)), facts, host, Map.of());
    }

    @Test
    @Tag("root")
    void no_file_gets_a_mode_bit_that_it_has_not() throws IOException {
        Path host = root.resolve("host");
        Path key = exposed(host, "etc/docker/certs.d/reg/client.key", "0660");
        Path daemon = exposed(host, "etc/docker/daemon.json", "0600");
        Path out = root.resolve("out");
        Proposal proposal = ofFilesBelow(host);
        proposal.writeTo(out);

        apply(proposal, "files.sh", out);

        assertThat(text(proposal, "files.sh")).doesNotContain("/etc/docker/daemon.json");
        assertThat(mode(key)).as("a client's key").isEqualTo("r--------");
        assertThat(mode(daemon)).as("only its directory was open").isEqualTo("rw-------");
        assertThat(mode(daemon.resolveSibling(""))).isEqualTo("rwxr-xr-x");
        assertThat(ofFiles(HostAudit.judge(withoutEngine(host), request(Optional.empty(), host))))
                .isEmpty();
    }

    @Test
    @Tag("root")
    void what_was_put_in_a_files_place_meanwhile_is_left_alone() throws IOException {
        Path host = root.resolve("host");
        Path linked = exposed(host, "etc/docker/daemon.json", "0666");
        Path replaced = exposed(host, "etc/default/docker", "0666");
        Path shadow = Files.writeString(root.resolve("shadow"), "secret");
        Dockerd.must("chown", "65534", shadow.toString());
        Dockerd.must("chown", "65534", linked.toString(), replaced.toString());
        Proposal proposal = ofFilesBelow(host);
        Path out = root.resolve("out");
        proposal.writeTo(out);
        Files.delete(linked);
        Files.createSymbolicLink(linked, shadow);
        Files.move(shadow, root.resolve("other"));
        Files.createLink(shadow, root.resolve("other"));
        Files.delete(replaced);
        Files.createLink(replaced, shadow);
        String before = mode(shadow) + Files.getAttribute(shadow, "unix:uid");

        assertThatThrownBy(() -> apply(proposal, "files.sh", out)).hasMessageContaining("is not the file");

        assertThat(mode(shadow) + Files.getAttribute(shadow, "unix:uid")).isEqualTo(before);
        assertThat(mode(linked.resolveSibling(""))).as("closed before").isEqualTo("rwxr-xr-x");
        String script = text(proposal, "files.sh");
        assertThat(script.lastIndexOf("\nclose ")).isPositive().isLessThan(script.indexOf("\nif same "));
    }

    @Test
    @Tag("root")
    void somebodys_own_directory_is_not_given_to_root() throws IOException {
        Path host = root.resolve("host");
        Path file = exposed(host, "etc/default/docker", "0666");
        Dockerd.must("chown", "65534", file.resolveSibling("").toString());

        Proposal proposal = ofFilesBelow(host);

        assertThat(proposal.files()).doesNotContainKey("files.sh");
        assertThat(proposal.refused())
                .anyMatch(sentence -> sentence.contains("/etc/default belongs to uid 65534"))
                .anyMatch(sentence -> sentence.contains("default-docker-mode"));
    }

    private static Map<String, Object> file(int mode, String... grants) {
        return Map.of(
                "/etc/default/docker",
                Map.of(
                        "path",
                        "/etc/default/docker",
                        "resolved",
                        "/etc/default/docker",
                        "kind",
                        "file",
                        "uid",
                        0,
                        "gid",
                        0,
                        "mode",
                        mode,
                        "device",
                        (8L << 32) + 257,
                        "inode",
                        42,
                        "grants",
                        List.of(grants),
                        "openParents",
                        List.of()));
    }

    @Test
    void files_of_an_engine_that_is_not_roots_are_left_to_its_user() {
        Facts facts = FactsFile.with("host/files", file(0666), "engine/process/uid", 1000);

        Proposal proposal = propose(facts, "");

        assertThat(proposal.files()).doesNotContainKey("files.sh");
        assertThat(proposal.refused()).anyMatch(sentence -> sentence.contains("runs as uid 1000"));
    }

    @Test
    void without_its_access_control_list_a_file_is_open_to_nobody_new() {
        assertThat(text(propose(FactsFile.with("host/files", file(0666)), ""), "files.sh")
                        .lines())
                .containsSequence(
                        "if same \"$root\"/etc/default/docker 1050625:42; then",
                        "    chmod g-w,o-w \"$root\"/etc/default/docker",
                        "fi");
        assertThat(text(propose(FactsFile.with("host/files", file(0640, "user 1000: rw-")), ""), "files.sh")
                        .lines())
                .as("the group's bits were the list's mask")
                .containsSequence(
                        "    setfacl -b \"$root\"/etc/default/docker",
                        "    chmod u-x,g-wx,o-rwx \"$root\"/etc/default/docker");
    }

    /// The facts of files alone: whatever engine runs here is left out.
    private static Facts withoutEngine(Path host) {
        List<Facts.Gap> gaps = new ArrayList<>();
        HostFiles files = new HostFiles(host, gaps);
        Map<String, HostFacts.FileFact> wanted = new TreeMap<>();
        WantedFiles.of(List.of(), files).forEach(path -> files.fact(path).ifPresent(fact -> wanted.put(path, fact)));
        return new Facts(
                FactsFile.recorded().second(),
                new HostCollector(files, files).collect(wanted, List.of()),
                Optional.empty(),
                List.of(),
                List.of(),
                gaps,
                List.of());
    }

    private static List<String> ofFiles(Report report) {
        return report.findings().stream()
                .filter(finding ->
                        finding.status() == Status.FAIL && finding.subject().kind() == Subject.Kind.FILE)
                .map(Finding::message)
                .toList();
    }
}
