package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.Severity;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Each proposed file is applied, to a copy of a host's files, to recorded facts or to a live engine, and audited anew.
@Timeout(300)
class HostProposalsTest {
    @TempDir
    Path root = Path.of("");

    private static HostAuditRequest request(Optional<Path> socket, Path hostRoot) {
        return new HostAuditRequest(
                socket,
                hostRoot,
                Path.of("/nowhere"),
                Optional.empty(),
                Optional.empty(),
                2,
                false,
                FactsFile.recorded().second(),
                LocalDate.of(2026, 11, 25),
                Severity.HIGH,
                Optional.empty(),
                Optional.empty());
    }

    private static Report judge(Facts facts) {
        return HostAudit.judge(facts, request(Optional.empty(), Path.of("/")));
    }

    private static List<String> failed(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .map(finding -> finding.check().name())
                .distinct()
                .toList();
    }

    private static String text(Proposal proposal, String name) {
        return new String(
                Optional.ofNullable(proposal.files().get(name)).orElseThrow().bytes(), StandardCharsets.UTF_8);
    }

    private Proposal propose(Facts facts, String daemonJson, String... arguments) {
        return HostProposals.of(judge(facts), facts, root.resolve("host"), daemonJson, List.of(arguments));
    }

    /// Runs the command that is told.
    private static void apply(Proposal proposal, String file, Path out) {
        String told = proposal.notes().stream()
                .filter(note -> note.file().equals(file))
                .findFirst()
                .orElseThrow()
                .below(out);
        Dockerd.must("sh", "-c", told.substring(told.lastIndexOf(": ") + 2));
    }

    @Test
    void kernel_settings_are_those_that_the_check_wants() {
        Map<String, String> weak = new HashMap<>();
        KernelSettings.WANTED.forEach(
                wanted -> weak.put(wanted.name(), wanted.name().contains("dump") ? "2" : "0"));
        weak.put("vm.unprivileged_userfaultfd", "1");
        weak.put("kernel.dmesg_restrict", "1");
        Facts facts = FactsFile.with("host/settings", weak);

        String file = text(propose(facts, ""), "99-caisson.conf");

        assertThat(file).startsWith(Proposal.MARK).doesNotContain("dmesg");
        Map<String, String> set = new HashMap<>(weak);
        file.lines().filter(line -> !line.startsWith("#")).forEach(line -> {
            String[] parts = line.split(" = ", 2);
            set.put(parts[0], parts[1]);
        });
        assertThat(failed(judge(facts))).contains("kernel-settings");
        assertThat(failed(judge(FactsFile.with("host/settings", set)))).doesNotContain("kernel-settings");
    }

    @Test
    void audit_rules_cover_what_is_not_recorded() {
        Facts facts = FactsFile.recorded();

        String file = text(propose(facts, ""), "caisson-docker.rules");

        List<Map<String, Object>> watches = new ArrayList<>();
        file.lines().filter(line -> line.startsWith("-w ")).forEach(line -> {
            String[] words = line.split(" ", -1);
            assertThat(words).containsExactly("-w", words[1], "-p", "wa", "-k", "docker");
            watches.add(Map.of("path", words[1], "directory", false, "permissions", words[3]));
        });
        assertThat(file.lines().toList().getLast()).as("auditing is off").isEqualTo("-e 1");
        assertThat(failed(judge(facts))).contains("audit-dockerd", "audit-docker-service", "audit-docker-socket");
        assertThat(failed(judge(FactsFile.with("host/audit/state", "on", "host/audit/watches", watches))))
                .noneMatch(name -> name.startsWith("audit-"));
    }

    @Test
    void a_patch_of_the_engine_s_file_keeps_what_is_not_asked_about() throws IOException {
        String before = "{\"debug\":true,\"dns\":[\"10.0.0.1\"],\"mtu\":1400,\"experimental\":true,"
                + "\"log-opts\":{\"max-file\":\"3\"},\"hosts\":[\"tcp://0.0.0.0:2375\",\"unix:///run/docker.sock\"]}";
        Path file = Files.createDirectories(root.resolve("host/etc/docker")).resolve("daemon.json");
        Files.writeString(file, before);
        Facts facts = FactsFile.with(
                "engine/configuration/hosts", Map.of("values", List.of("tcp://0.0.0.0:2375"), "source", "file"),
                "engine/configuration/debug", Map.of("values", List.of("true"), "source", "file"),
                "engine/claims/experimental", true);
        Path out = root.resolve("out");
        Proposal proposal = propose(facts, before, "dockerd");
        proposal.writeTo(out);

        apply(proposal, "daemon.json.patch", out);

        Tree after = Tree.parse(Files.readString(file));
        assertThat(after.at("dns").texts()).containsExactly("10.0.0.1");
        assertThat(after.at("mtu").textOr("")).isEqualTo("1400");
        assertThat(after.at("log-opts", "max-file").textOr("")).isEqualTo("3");
        assertThat(after.at("hosts").texts()).containsExactly("unix:///run/docker.sock");
        assertThat(after.at("debug").present()).isFalse();
        assertThat(after.at("experimental").present()).isFalse();
        assertThat(after.at("icc").textOr("")).isEqualTo("false");
        assertThat(after.at("no-new-privileges").truth()).isTrue();
        assertThat(after.at("live-restore").truth()).isTrue();
        assertThat(after.at("userland-proxy").textOr("")).isEqualTo("false");
        assertThat(proposal.refused()).anyMatch(sentence -> sentence.contains("userns-remap-off"));
        assertThat(Files.getPosixFilePermissions(out.resolve("daemon.json.patch")))
                .as("its lines may hold secrets")
                .hasSize(2);
    }

    @Test
    void what_is_no_object_is_not_changed() {
        for (String text : List.of("[1]", "{", "\"x\"", "{\"a\": 12345678901234567890123}")) {
            Proposal proposal = propose(FactsFile.recorded(), text, "dockerd");

            assertThat(proposal.files()).as(text).doesNotContainKey("daemon.json.patch");
            Facts byFlag = FactsFile.with(
                    "engine/process/unit",
                    "docker.service",
                    "engine/configuration/icc",
                    Map.of("values", List.of("true"), "source", "flag"));
            assertThat(propose(byFlag, text, "dockerd", "--icc").files().keySet())
                    .as("the file cannot say what the flag said")
                    .noneMatch(name -> name.contains("docker.service"));
            assertThat(proposal.refused()).anyMatch(sentence -> sentence.contains("is no JSON object"));
        }
    }

    @Test
    void flags_that_decide_are_taken_out_of_the_unit() {
        List<String> arguments = List.of(
                "/usr/bin/dockerd",
                "-H",
                "fd://",
                "--host=tcp://0.0.0.0:2375",
                "--icc",
                "-l",
                "debug",
                "--label=a b%c$d",
                "--containerd",
                "/run/c.sock",
                "-Dl=debug");
        Facts facts = FactsFile.with(
                "engine/process/unit", "docker.service",
                "engine/configuration/icc", Map.of("values", List.of("true"), "source", "flag"),
                "engine/configuration/log-level", Map.of("values", List.of("debug"), "source", "flag"),
                "engine/configuration/hosts",
                        Map.of("values", List.of("fd://", "tcp://0.0.0.0:2375"), "source", "flag"));

        Proposal proposal = propose(facts, "", arguments.toArray(String[]::new));

        assertThat(text(proposal, "docker.service.d-caisson.conf").lines())
                .contains("[Service]", "ExecStart=")
                .last()
                .asString()
                .isEqualTo("ExecStart=/usr/bin/dockerd -H fd:// \"--label=a b%%c$$d\" --containerd /run/c.sock");
        assertThat(text(proposal, "daemon.json.patch")).contains("+  \"icc\": false");
        assertThat(propose(facts, "", "dockerd", "--icc", "--label=a\nExecStartPre=x")
                        .files())
                .as("a line break would begin another directive")
                .doesNotContainKey("docker.service.d-caisson.conf");
        Proposal byHand = propose(
                FactsFile.with("engine/configuration/icc", Map.of("values", List.of("true"), "source", "flag")),
                "",
                "dockerd",
                "--icc");
        assertThat(byHand.files().keySet()).noneMatch(name -> name.endsWith("caisson.conf") && name.contains(".d-"));
        assertThat(text(byHand, "daemon.json.patch"))
                .as("a setting that stands in both keeps dockerd from starting")
                .doesNotContain("icc");
        assertThat(byHand.refused()).anyMatch(sentence -> sentence.contains("icc-on"));
    }

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
        Proposal proposal = HostProposals.of(before, facts, host, "", List.of());
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
        return HostProposals.of(HostAudit.judge(facts, request(Optional.empty(), host)), facts, host, "", List.of());
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
        assertThat(mode(key)).isEqualTo("r--r-----");
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

    /// The engine starts with the changed file, and the checks pass.
    @Test
    @Tag("peers")
    void a_live_engine_passes_with_the_patched_file() throws IOException {
        Path file = Files.writeString(
                root.resolve("daemon.json"),
                "{\"debug\": true, \"experimental\": true, \"userland-proxy\": true, \"storage-driver\": \"vfs\"}");
        List<String> wanted = List.of(
                "icc-on",
                "log-level",
                "ulimits-default",
                "no-new-privileges-default-off",
                "live-restore-off",
                "userland-proxy-on",
                "experimental-on");
        Path out = root.resolve("out");
        Proposal proposal;
        try (Dockerd daemon = Dockerd.start(root.resolve("one"), "--config-file=" + file)) {
            proposal = HostAudit.propose(request(Optional.of(daemon.socket()), Path.of("/")), List.of());
        }
        assertThat(failed(proposal.report())).containsAll(wanted);
        proposal.writeTo(out);
        assertThat(Files.readString(file)).as("nothing is applied by itself").contains("\"debug\": true");

        apply(proposal, "daemon.json.patch", out);

        try (Dockerd daemon = Dockerd.start(root.resolve("two"), "--config-file=" + file)) {
            Report after = HostAudit.run(request(Optional.of(daemon.socket()), Path.of("/")));
            assertThat(failed(after)).doesNotContainAnyElementsOf(wanted);
            assertThat(after.findings().stream()
                            .filter(finding -> finding.status() == Status.PASS)
                            .map(finding -> finding.check().name()))
                    .containsAll(wanted);
        } finally {
            Stream.of("one", "two").forEach(name -> Dockerd.remove(root.resolve(name)));
        }
    }
}
