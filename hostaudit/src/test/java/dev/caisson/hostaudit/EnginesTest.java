package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.FactsJson;
import dev.caisson.hostaudit.kernel.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A host with dockerd, podman as root, podman and dockerd as another user, and Caisson, each of them with a container
/// `web`. Debian's packages docker.io, docker-cli, podman, runc, rootlesskit, uidmap, slirp4netns and busybox-static.
@Tag("peers")
@Timeout(300)
class EnginesTest {
    private static final String USER = "65534";
    private static final String ROOTLESS = "docker-" + USER;

    /// Checks whose good case is an engine without root.
    static final List<String> COVERED = List.of("daemon-root", "userns-remap-off", "userns-shared");

    private static final List<Process> RUNNING = new ArrayList<>();
    private static Path work = Path.of("");
    private static Optional<Dockerd> dockerd = Optional.empty();
    private static Optional<Dockerd> ofUser = Optional.empty();
    private static Optional<AuthorizationPlugin> plugin = Optional.empty();
    private static List<Finding> findings = List.of();

    private static Path host() {
        return work.resolve("host");
    }

    @BeforeAll
    static void start() throws Exception {
        work = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-engines");
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String directory : List.of("etc", "run/podman", "run/user/" + USER + "/podman")) {
            Files.createDirectories(host().resolve(directory));
        }
        // what engines call by the paths of this machine is found below the staged root too
        Path here = host().resolve(work.toString().substring(1));
        Files.createDirectories(here.getParent());
        Files.createSymbolicLink(here, Path.of("/"));
        Files.createSymbolicLink(host().resolve("host"), Path.of("."));
        dockerd = Optional.of(Dockerd.start(host().resolve("docker")));
        new TestImages(dockerd.get(), work).imported("bb");
        dockerd.get().docker("run", "--detach", "--name", "web", "--network", "none", "bb", "sleep", "600");
        Files.createLink(host().resolve("run/docker.sock"), dockerd.get().socket());
        podman(List.of(), "podman", host().resolve("run/podman/podman.sock"));
        podman(
                List.of("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"),
                "user",
                host().resolve("run/user/" + USER + "/podman/podman.sock"));
        Dockerd.must(podmanCommand(
                List.of(), "podman", "run", "-d", "--name", "priv", "--privileged", "bb", "sleep", "600"));
        rootless();
        caisson();
        findings = audit(Optional.empty(), Optional.empty());
    }

    private static List<String> podmanCommand(List<String> as, String name, String... words) {
        Path home = host().resolve(name);
        List<String> command = new ArrayList<>(as);
        command.addAll(List.of("env", "-i", "PATH=" + System.getenv("PATH"), "PODMAN_IGNORE_CGROUPSV1_WARNING=1"));
        command.addAll(List.of("HOME=" + home, "XDG_RUNTIME_DIR=" + home));
        command.addAll(List.of("podman", "--root", home.resolve("storage").toString()));
        command.addAll(List.of("--runroot", home.resolve("run").toString(), "--cgroup-manager", "cgroupfs"));
        command.addAll(List.of("--storage-driver", "overlay", "--runtime", "/usr/sbin/runc"));
        command.addAll(List.of(words));
        if (List.of(words).contains("run")) {
            command.add(command.indexOf("run") + 1, "--network=none");
        }
        return command;
    }

    private static void podman(List<String> as, String name, Path socket) throws Exception {
        Path home = Files.createDirectories(host().resolve(name));
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx------"));
        if (!as.isEmpty()) {
            Dockerd.must(
                    "chown",
                    "-R",
                    USER + ":" + USER,
                    home.toString(),
                    host().resolve("run/user/" + USER).toString());
        }
        RUNNING.add(new ProcessBuilder(podmanCommand(as, name, "system", "service", "--time", "0", "unix://" + socket))
                .redirectErrorStream(true)
                .redirectOutput(work.resolve(name + ".log").toFile())
                .start());
        for (int tenths = 0; tenths < 300 && !Files.exists(socket); tenths++) {
            Thread.sleep(100);
        }
        Dockerd.must(podmanCommand(as, name, "import", work.resolve("root.tar").toString(), "bb"));
        Dockerd.must(podmanCommand(as, name, "run", "-d", "--name", "web", "bb", "sleep", "600"));
    }

    /// dockerd of the user who has a podman too; their settings say what those of the system do not.
    private static void rootless() throws IOException {
        Path directory = host().resolve("run/user/" + USER);
        Files.createDirectories(directory.resolve(".config/docker"));
        Files.writeString(directory.resolve(".config/docker/daemon.json"), "{\"no-new-privileges\": true}");
        AuthorizationPlugin asked =
                AuthorizationPlugin.ofUser(USER, directory.resolve(".local/lib"), work.resolve("plugin.sock"));
        plugin = Optional.of(asked);
        Dockerd started = Dockerd.ofUser(
                directory, "nobody", USER, "--log-level=debug", "--authorization-plugin=" + asked.name());
        ofUser = Optional.of(started);
        started.docker("import", work.resolve("root.tar").toString(), "bb");
        started.docker("run", "--detach", "--name", "web", "--network", "none", "bb", "sleep", "600");
        started.docker(ContainerCases.words(
                "swarm init --advertise-addr 10.0.2.100 --listen-addr 127.0.0.1:2377 --data-path-addr 127.0.0.1"
                        + " --autolock --cert-expiry 720h",
                word -> word));
    }

    /// A record as Caisson's engine keeps it, of a process that runs.
    private static void caisson() throws IOException {
        Process process = new ProcessBuilder("sleep", "600").start();
        RUNNING.add(process);
        Path records = Files.createDirectories(host().resolve("caisson/engines/one"));
        Files.writeString(
                records.resolve("0123456789abcdef.json"),
                "{\"id\":\"0123456789abcdef\",\"name\":\"web\",\"image\":\"bb\",\"pid\":" + process.pid()
                        + ",\"startTime\":" + Proc.startTime(process.pid()).orElseThrow() + "}");
    }

    @AfterAll
    static void stop() throws IOException {
        for (String name : List.of("podman", "user")) {
            List<String> as = name.equals("user")
                    ? List.of("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups")
                    : List.of();
            Dockerd.run(podmanCommand(as, name, "rm", "--all", "--force", "--time", "0"));
            // ends the process that holds the user's namespaces, which no container does any more
            Dockerd.run(podmanCommand(as, name, "system", "migrate"));
        }
        ofUser.ifPresent(Dockerd::close);
        if (plugin.isPresent()) {
            plugin.get().close();
        }
        dockerd.ifPresent(Dockerd::close);
        RUNNING.forEach(process -> process.descendants().forEach(ProcessHandle::destroyForcibly));
        RUNNING.forEach(Process::destroyForcibly);
        ProcessHandle.allProcesses()
                .filter(process ->
                        Proc.commandLine(process.pid()).stream().anyMatch(word -> word.startsWith(work.toString())))
                .forEach(ProcessHandle::destroyForcibly);
        Dockerd.remove(work);
        Dockerd.run(
                List.of(
                        "sh",
                        "-c",
                        "for d in /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent; do rmdir $d/* $d; done 2>/dev/null; true"));
    }

    private static HostAuditRequest request(Optional<Path> socket, Optional<String> target) {
        return LiveRequests.about(target, socket, host(), host().resolve("caisson"));
    }

    private static List<Finding> audit(Optional<Path> socket, Optional<String> target) {
        HostAuditRequest request = request(socket, target);
        return HostAudit.judge(Collector.collect(request.scope()), request).findings();
    }

    private static Set<String> subjects(List<Finding> all, Predicate<Finding> wanted) {
        return all.stream()
                .filter(wanted)
                .map(finding -> finding.subject().name())
                .collect(Collectors.toSet());
    }

    private static Set<String> of(String check, Status status) {
        return subjects(findings, finding -> finding.check().name().equals(check) && finding.status() == status);
    }

    @Test
    void every_engine_is_audited_in_one_run_and_its_findings_carry_its_name() {
        assertThat(subjects(findings, finding -> finding.subject().kind() == Subject.Kind.CONTAINER))
                .containsExactlyInAnyOrder(
                        "web",
                        "podman/web",
                        "podman/priv",
                        "podman-" + USER + "/web",
                        ROOTLESS + "/web",
                        "caisson/web");
        assertThat(subjects(findings, finding -> finding.subject().kind() == Subject.Kind.DAEMON))
                .containsExactlyInAnyOrder(
                        "dockerd", "swarm", "podman", "podman-" + USER, ROOTLESS, ROOTLESS + "/swarm");
        assertThat(subjects(findings, finding -> finding.subject().kind() == Subject.Kind.IMAGE))
                .containsExactlyInAnyOrder(
                        "bb:latest",
                        "podman/localhost/bb:latest",
                        "podman-" + USER + "/localhost/bb:latest",
                        ROOTLESS + "/bb:latest");
        assertThat(findings)
                .filteredOn(finding -> finding.check().name().equals("not-read"))
                .noneMatch(finding -> finding.message().contains("was not asked")
                        && finding.message().contains("/run/"));
    }

    @Test
    void what_concerns_the_host_is_told_once() {
        for (String check : List.of("kernel-settings", "content-trust-off", "audit-etc-docker")) {
            assertThat(findings)
                    .filteredOn(finding -> finding.check().name().equals(check))
                    .as(check)
                    .hasSize(1);
        }
        assertThat(of("data-root-shares-filesystem", Status.FAIL))
                .containsExactlyInAnyOrder(
                        "this host", "podman/this host", "podman-" + USER + "/this host", ROOTLESS + "/this host");
    }

    @Test
    void podmans_containers_are_judged_by_what_the_kernel_does_with_them() {
        assertThat(of("privileged-in-effect", Status.FAIL)).contains("podman/priv");
        assertThat(of("privileged-in-effect", Status.PASS)).contains("web", "podman/web");
        assertThat(of("cgroup-unexpected", Status.PASS)).contains("web", "podman/web", "podman/priv");
        assertThat(of("host-directory", Status.PASS)).contains("web", "podman/web", "podman-" + USER + "/web");
        assertThat(of("image-setuid", Status.NOT_EVALUATED)).isEmpty();
        assertThat(of("icc-on", Status.NOT_APPLICABLE)).contains("podman");
    }

    @Test
    void an_engine_without_root_is_told_from_one_with_it() {
        String own = "podman-" + USER;

        assertThat(of("daemon-root", Status.FAIL)).containsExactlyInAnyOrder("dockerd", "podman");
        assertThat(of("daemon-root", Status.PASS)).containsExactlyInAnyOrder(own, ROOTLESS);
        assertThat(of("userns-remap-off", Status.FAIL)).containsExactlyInAnyOrder("dockerd", "podman");
        assertThat(of("userns-remap-off", Status.PASS)).containsExactlyInAnyOrder(own, ROOTLESS);
        assertThat(of("userns-shared", Status.FAIL))
                .contains("web", "podman/web")
                .doesNotContain(own + "/web", ROOTLESS + "/web");
        assertThat(of("userns-shared", Status.PASS)).containsExactlyInAnyOrder(own + "/web", ROOTLESS + "/web");
        assertThat(of("container-root", Status.FAIL)).doesNotContain(own + "/web", ROOTLESS + "/web");
        assertThat(of("filter-off", Status.PASS))
                .as("only its own processes are looked at")
                .contains(own + "/web");
        assertThat(of("exec-privileged", Status.PASS)).contains(own + "/web");
        assertThat(of("engine-socket-file-mode", Status.FAIL)).noneMatch(path -> path.startsWith("/run/user/"));
    }

    @Test
    void a_dockerd_without_root_is_judged_by_its_users_settings_and_by_the_kernel() {
        assertThat(of("no-new-privileges-default-off", Status.FAIL)).containsExactly("dockerd");
        assertThat(of("no-new-privileges-default-off", Status.PASS)).containsExactly(ROOTLESS);
        assertThat(of("privileges-gainable", Status.PASS)).contains(ROOTLESS + "/web");
        assertThat(of("log-level", Status.FAIL)).containsExactly(ROOTLESS);
        assertThat(of("daemon-json-owner", Status.PASS))
                .as("the user's own file")
                .anyMatch(path -> path.endsWith("/.config/docker/daemon.json"));
        assertThat(of("image-setuid", Status.PASS)).contains(ROOTLESS + "/bb:latest");
        assertThat(of("filter-off", Status.PASS)).contains(ROOTLESS + "/web");
        assertThat(of("memory-unbounded", Status.FAIL)).contains(ROOTLESS + "/web");
        assertThat(findings)
                .filteredOn(finding -> finding.subject().name().startsWith(ROOTLESS))
                .hasSizeGreaterThan(80);
        assertThat(findings)
                .filteredOn(finding ->
                        finding.subject().name().startsWith(ROOTLESS) && finding.status() == Status.NOT_EVALUATED)
                .extracting(finding -> finding.check().name())
                .as("not evaluated: the kernel keeps its audit rules from a pid namespace")
                .isSubsetOf("audit-daemon-json");
    }

    @Test
    void a_dockerd_without_root_has_its_own_authorization_and_its_own_swarm() {
        assertThat(of("authorization-off", Status.FAIL)).containsExactly("dockerd");
        assertThat(of("authorization-off", Status.PASS)).containsExactly(ROOTLESS);
        assertThat(of("swarm-on", Status.FAIL)).containsExactly(ROOTLESS);
        assertThat(of("swarm-on", Status.PASS)).contains("dockerd");
        assertThat(of("swarm-managers", Status.FAIL)).containsExactly(ROOTLESS + "/swarm");
        for (String check : List.of(
                "autolock-off", "node-certificate-life", "swarm-ca-age", "swarm-everywhere", "swarm-planes-joined")) {
            assertThat(of(check, Status.PASS)).as(check).anyMatch(name -> name.startsWith(ROOTLESS));
        }
    }

    /// Without root an engine makes control groups only where it was given a place for them. That its containers have
    /// none is told; what the engine says of them is true.
    @Test
    void a_container_without_a_control_group_contradicts_nothing() {
        Set<String> without = Set.of("podman-" + USER + "/web", ROOTLESS + "/web");

        assertThat(of("cgroup-unexpected", Status.FAIL)).containsAll(without);
        assertThat(of("claim-contradicted", Status.PASS)).containsAll(without);
        assertThat(findings)
                .filteredOn(finding -> finding.check().name().equals("cgroup-unexpected")
                        && without.contains(finding.subject().name()))
                .allMatch(finding -> finding.message().contains("no control group of its own"));
    }

    /// An option of the container, as `--memory`, is what helps where the engine makes groups.
    @Test
    void who_may_make_no_control_groups_is_advised_to_get_a_place_for_them() {
        for (String check : List.of("cgroup-unexpected", "memory-unbounded", "cpu-unbounded", "pids-unbounded")) {
            List<Finding> failed = findings.stream()
                    .filter(finding -> finding.check().name().equals(check) && finding.status() == Status.FAIL)
                    .toList();
            Map<Boolean, List<Finding>> byPlace = failed.stream()
                    .collect(Collectors.partitioningBy(
                            finding -> finding.remediation().contains("Delegate=")));
            assertThat(subjects(byPlace.getOrDefault(true, List.of()), all -> true))
                    .as(check)
                    .containsExactlyInAnyOrder("podman-" + USER + "/web", ROOTLESS + "/web");
            assertThat(byPlace.getOrDefault(false, List.of()))
                    .as(check)
                    .allMatch(finding ->
                            finding.remediation().equals(finding.check().fix()));
        }
    }

    @Test
    void one_container_of_one_engine_can_be_asked_for() {
        assertThat(subjects(audit(Optional.empty(), Optional.of("container:podman/priv")), all -> true))
                .containsExactly("podman/priv");
        assertThat(subjects(audit(Optional.empty(), Optional.of("container:caisson/web")), all -> true))
                .containsExactly("caisson/web");
        assertThat(subjects(audit(Optional.empty(), Optional.of("container:web")), all -> true))
                .containsExactlyInAnyOrder(
                        "web", "podman/web", "podman-" + USER + "/web", ROOTLESS + "/web", "caisson/web");
        assertThat(subjects(audit(Optional.empty(), Optional.of("image:podman/localhost/bb:latest")), all -> true))
                .containsExactly("podman/localhost/bb:latest");
    }

    /// A baseline that was made of dockerd alone knows its findings again.
    @Test
    void what_dockerd_has_is_called_the_same_whichever_engines_there_are() {
        List<Finding> alone = audit(Optional.of(host().resolve("run/docker.sock")), Optional.empty());

        assertThat(alone.stream()
                        .filter(finding -> finding.status() == Status.FAIL)
                        .map(Finding::fingerprint))
                .hasSizeGreaterThan(20)
                .isSubsetOf(findings.stream().map(Finding::fingerprint).toList());
    }

    @Test
    void facts_of_all_engines_are_judged_the_same_on_another_machine() {
        HostAuditRequest request = request(Optional.empty(), Optional.empty());
        Facts facts = Collector.collect(request.scope());

        List<Finding> there =
                HostAudit.judge(FactsJson.read(FactsJson.write(facts)), request).findings();

        assertThat(there).isEqualTo(HostAudit.judge(facts, request).findings());
    }
}
