package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.checks.KernelSettings;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.proposals.HostProposals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Each proposed file is applied, to a copy of a host's files, to recorded facts or to a live engine, and audited anew.
@Timeout(300)
class HostProposalsTest extends ProposedFiles {
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

    /// dockerd takes one.
    @Test
    void a_file_with_a_byte_order_mark_can_be_patched() throws IOException {
        String before = "\ufeff{\"mtu\":1400}\n";
        Path file = Files.createDirectories(root.resolve("host/etc/docker")).resolve("daemon.json");
        Files.writeString(file, before);
        Path out = root.resolve("out");
        Proposal proposal = propose(FactsFile.recorded(), before, "dockerd");
        proposal.writeTo(out);

        apply(proposal, "daemon.json.patch", out);

        Tree after = Tree.parse(Files.readString(file));
        assertThat(after.at("mtu").textOr("")).isEqualTo("1400");
        assertThat(after.at("icc").textOr("")).isEqualTo("false");
    }

    @Test
    void what_is_no_object_is_not_changed() {
        for (String text : List.of("[1]", "{", "\"x\"", "{\"a\": 1, \"a\": 2}")) {
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

    private static final List<String> OF_ENGINE = List.of("icc-on", "no-new-privileges-default-off");

    /// The recorded engine, and the same as a user's own.
    private static Facts withUsersEngine(Path file, Object... changes) {
        List<Object> all = new ArrayList<>(List.of(
                "engine/socket",
                "/run/user/1000/docker.sock",
                "engine/configurationFile",
                file.toString(),
                "engine/process/uid",
                1000));
        all.addAll(List.of(changes));
        EngineFacts users = FactsFile.with(all.toArray()).engine().orElseThrow();
        Facts first = FactsFile.with("host/accounts", List.of(Map.of("name", "anna", "uid", 1000, "gid", 1001)));
        return new Facts(
                first.second(),
                first.host(),
                first.engine(),
                first.images(),
                first.containers(),
                first.gaps(),
                List.of(new Facts.Share(users.name(), Optional.of(users), List.of(), List.of())));
    }

    private static List<String> failedOf(String subject, Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL
                        && finding.subject().name().equals(subject))
                .map(finding -> finding.check().name())
                .toList();
    }

    @Test
    void each_engine_has_files_of_its_own() {
        Facts facts = withUsersEngine(
                Path.of("/home/anna/.config/docker/daemon.json"),
                "engine/configuration/no-new-privileges",
                Map.of("values", List.of("true"), "source", "file"),
                "engine/binaries/dockerd",
                "/home/anna/bin/dockerd");
        Map<String, HostProposals.Started> started = Map.of(
                "/run/docker.sock", new HostProposals.Started("", "", List.of()),
                "/run/user/1000/docker.sock",
                        new HostProposals.Started("{\"no-new-privileges\": true, \"mtu\": 1400}", "", List.of()));
        Report report = judge(facts);
        assertThat(failedOf("dockerd", report)).containsAll(OF_ENGINE);
        assertThat(failedOf("docker-1000", report)).contains("icc-on").doesNotContain("no-new-privileges-default-off");

        Proposal proposal = HostProposals.of(report, facts, Path.of("/"), started);

        assertThat(text(proposal, "daemon.json.patch"))
                .contains("etc/docker/daemon.json", "+  \"no-new-privileges\": true")
                .doesNotContain("mtu");
        assertThat(text(proposal, "docker-1000/daemon.json.patch"))
                .contains("home/anna/.config/docker/daemon.json", "1400", "+  \"icc\": false");
        assertThat(text(proposal, "caisson-docker.rules").lines())
                .as("the user's socket is watched beside the system's")
                .anyMatch(line -> line.startsWith("-w ") && line.contains("docker.sock"));
        assertThat(proposal.notes())
                .filteredOn(note -> note.file().equals("docker-1000/daemon.json.patch"))
                .singleElement()
                .satisfies(note -> assertThat(note.before())
                        .as("root follows no link of theirs")
                        .startsWith("setpriv --reuid 1000 --regid 1001 --clear-groups patch "));
        assertThat(proposal.notes())
                .filteredOn(note -> note.file().equals("daemon.json.patch"))
                .allMatch(note -> note.before().startsWith("patch "));
    }

    @Test
    void what_cannot_be_read_or_written_of_one_engine_hinders_no_other() {
        Facts facts = withUsersEngine(Path.of("/home/anna/.config/docker/daemon.json"), "engine/process/uid", 1002);
        Map<String, HostProposals.Started> started = Map.of(
                "/run/docker.sock", new HostProposals.Started("", "permission denied", List.of()),
                "/run/user/1000/docker.sock", new HostProposals.Started("", "", List.of()));

        Proposal proposal = HostProposals.of(judge(facts), facts, Path.of("/"), started);

        assertThat(proposal.files().keySet()).noneMatch(name -> name.endsWith("daemon.json.patch"));
        assertThat(proposal.refused())
                .anyMatch(sentence -> sentence.contains("permission denied: no change"))
                .anyMatch(sentence -> sentence.contains("the user of docker-1000 has no account"));
    }

    /// The user's directory leads to another by then.
    @Test
    @Tag("root")
    void a_users_file_is_changed_with_the_users_rights() throws IOException {
        Path home = Files.createDirectories(root.resolve("host/home/anna"));
        Path victim = Files.createDirectories(root.resolve("host/etc"));
        Dockerd.must("chmod", "-R", "a+rX", root.toString());
        Dockerd.must("chown", "1000:1001", home.toString());
        Facts facts = withUsersEngine(Path.of("/home/anna/docker/daemon.json"));
        Proposal proposal = propose(facts, "");
        Path out = root.resolve("out");
        proposal.writeTo(out);

        apply(proposal, "docker-1000/daemon.json.patch", out);

        Path changed = home.resolve("docker/daemon.json");
        assertThat(Tree.parse(Files.readString(changed)).at("icc").textOr("")).isEqualTo("false");
        assertThat(Files.getAttribute(changed, "unix:uid")).isEqualTo(1000);
        Dockerd.must("rm", "-r", home.resolve("docker").toString());
        Files.createSymbolicLink(home.resolve("docker"), victim);
        assertThatThrownBy(() -> apply(proposal, "docker-1000/daemon.json.patch", out))
                .isInstanceOf(IllegalStateException.class);
        assertThat(victim).isEmptyDirectory();
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
