package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.facts.Facts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every check of the engine, its files, its host and its swarm against two live dockerds: one set up
/// badly, one well.
@Tag("peers")
@Timeout(600)
class LiveEngineTest {
    private static final List<String> FILE_KINDS = List.of(
            "service-file",
            "socket-unit",
            "etc-docker",
            "registry-certificate",
            "tls-ca",
            "tls-certificate",
            "tls-key",
            "engine-socket-file",
            "daemon-json",
            "default-docker",
            "sysconfig-docker",
            "containerd-socket-file");
    static final List<String> WATCHED = List.of(
            "audit-dockerd",
            "audit-run-containerd",
            "audit-data-root",
            "audit-etc-docker",
            "audit-docker-service",
            "audit-containerd-socket",
            "audit-docker-socket",
            "audit-default-docker",
            "audit-daemon-json",
            "audit-containerd-config",
            "audit-sysconfig-docker",
            "audit-containerd",
            "audit-shim",
            "audit-shim-v1",
            "audit-shim-v2",
            "audit-runc");
    private static final List<String> OTHERS = List.of(
            "data-root-shares-filesystem",
            "engine-users",
            "icc-on",
            "log-level",
            "iptables-off",
            "registry-insecure",
            "api-tcp-open",
            "ulimits-default",
            "cgroup-parent",
            "logs-local",
            "no-new-privileges-default-off",
            "userland-proxy-on",
            "seccomp-profile-default",
            "experimental-on",
            "content-trust-off",
            "host-services-open",
            "swarm-everywhere",
            "overlay-plain",
            "swarm-secrets-unused",
            "autolock-off",
            "node-certificate-life",
            "swarm-planes-joined",
            "swarm-managers",
            "swarm-ca-age",
            "authorization-off",
            "image-sprawl");

    /// What this class has a bad and a good case for: failing with the bad engine, passing with the good
    /// one.
    static final List<String> COVERED = Stream.of(
                    FILE_KINDS.stream().flatMap(kind -> Stream.of(kind + "-owner", kind + "-mode")),
                    WATCHED.stream(),
                    OTHERS.stream(),
                    Stream.of("live-restore-off", "swarm-on", "container-sprawl", "autolock-key-age"))
            .flatMap(names -> names)
            .toList();

    private static Path work = Path.of("");
    private static Map<String, Status> bad = Map.of();
    private static Map<String, Status> good = Map.of();
    private static Map<String, Status> withoutSwarm = Map.of();
    private static Map<String, Status> later = Map.of();
    private static final Map<String, String> MESSAGES = new LinkedHashMap<>();

    private static boolean watched;

    @BeforeAll
    static void auditBoth() throws IOException {
        work = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-hostaudit");
        Path actor = TestImages.actor(work);
        Path badRoot = StagedHost.open(work.resolve("bad-root"));
        Path goodRoot = StagedHost.closed(work.resolve("good-root"));
        try (Dockerd daemon = Dockerd.start(
                work.resolve("bad"),
                "--config-file=" + StagedHost.config(badRoot, "{\"debug\": true, \"experimental\": true, %s}"),
                "--iptables=false",
                "--insecure-registry=192.0.2.0/24",
                "--host=tcp://10.99.0.1:2375",
                "--cgroup-parent=/caisson-hostaudit-bad",
                "--seccomp-profile=unconfined")) {
            Path images = Files.createDirectories(work.resolve("bad-images"));
            new TestImages(daemon, images).imported("bb");
            try (TestRegistry registry = new TestRegistry(daemon, images)) {
                registry.pulled("old", "2024-01-01T00:00:00Z");
            }
            daemon.docker("create", "--name", "left", "bb", "true");
            StagedHost.giveAway(daemon.socket());
            StagedHost.giveAway(daemon.directory().resolve("exec/containerd/containerd.sock"));
            daemon.docker("swarm", "init", "--advertise-addr", "10.99.0.1", "--listen-addr", "0.0.0.0:2377");
            oldAuthority(daemon);
            daemon.docker("network", "create", "--driver", "overlay", "plain");
            daemon.docker(
                    "service",
                    "create",
                    "--name",
                    "svc",
                    "--detach",
                    "--no-resolve-image",
                    "--replicas",
                    "0",
                    "--env",
                    "DB_PASSWORD=hunter2xyz",
                    "bb",
                    "sleep",
                    "9");
            Process service = daemon.inside(actor.toString(), "listen", "9999");
            bad = audit(daemon, badRoot, "bad");
            later = audit(daemon, badRoot, "later", Duration.ofDays(10));
            daemon.docker("swarm", "leave", "--force");
            withoutSwarm = audit(daemon, badRoot, "without swarm");
            service.destroy();
        }
        Path data = Files.createDirectories(work.resolve("good/data"));
        Dockerd.must("mount", "-t", "tmpfs", "-o", "size=200m", "none", data.toString());
        Process watcher =
                new ProcessBuilder(actor.toString(), "watch", "/usr", "/etc", "/run", work.toString()).start();
        try (AuthorizationPlugin plugin = new AuthorizationPlugin();
                Dockerd daemon = Dockerd.start(
                        work.resolve("good"),
                        "--authorization-plugin=" + plugin.name(),
                        "--storage-driver=vfs",
                        "--group=root",
                        "--config-file="
                                + StagedHost.config(
                                        goodRoot,
                                        "{%s, \"icc\": false, \"no-new-privileges\": true, \"live-restore\": false, "
                                                + "\"userland-proxy\": false, \"log-driver\": \"syslog\", "
                                                + "\"default-ulimits\": {\"nofile\": {\"Name\": \"nofile\", \"Hard\": 4096, \"Soft\": 1024}}}"))) {
            String ready = new BufferedReader(new InputStreamReader(watcher.getInputStream(), StandardCharsets.UTF_8))
                    .readLine();
            // audit(7): in a pid namespace other than the first the kernel takes no rules, EPERM
            assertThat(ready).as("audit rules").isIn("ready", "Operation not permitted");
            watched = ready.equals("ready");
            daemon.docker(
                    "swarm",
                    "init",
                    "--advertise-addr",
                    "10.99.0.1",
                    "--listen-addr",
                    "10.99.0.1:2377",
                    "--data-path-addr",
                    "10.99.0.2",
                    "--autolock",
                    "--cert-expiry",
                    "720h");
            recreateIngressEncrypted(daemon);
            try (Dockerd second = managed(daemon, "10.99.0.3");
                    Dockerd third = managed(daemon, "10.99.0.4")) {
                assertThat(List.of(second, third)).doesNotHaveDuplicates();
                good = audit(daemon, goodRoot, "good");
            }
        } finally {
            watcher.getOutputStream().write('\n');
            watcher.getOutputStream().close();
            watcher.onExit().join();
        }
    }

    /// Another manager of the swarm, beside the first.
    private static Dockerd managed(Dockerd first, String address) {
        Dockerd joining = first.beside(work.resolve("good-" + address));
        joining.docker(
                "swarm",
                "join",
                "--token",
                first.docker("swarm", "join-token", "--quiet", "manager"),
                "--advertise-addr",
                address,
                "--listen-addr",
                address + ":2377",
                "10.99.0.1:2377");
        return joining;
    }

    /// The swarm gets a root certificate that has been valid for years.
    private static void oldAuthority(Dockerd daemon) {
        Path key = daemon.directory().resolve("ca-key.pem");
        Path certificate = daemon.directory().resolve("ca.pem");
        Dockerd.must(ContainerCases.words(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old"
                        + " -not_before 20240101000000Z -not_after 20440101000000Z"
                        + " -addext basicConstraints=critical,CA:TRUE -keyout {key} -out {certificate}",
                word -> word.replace("{key}", key.toString()).replace("{certificate}", certificate.toString())));
        daemon.docker(
                "swarm", "ca", "--rotate", "--quiet", "--ca-cert", certificate.toString(), "--ca-key", key.toString());
    }

    private static void recreateIngressEncrypted(Dockerd daemon) {
        Dockerd.must(
                "sh",
                "-c",
                "yes | docker --host unix://" + daemon.socket()
                        + " network rm ingress && sleep 2 && docker --host unix://"
                        + daemon.socket()
                        + " network create --driver overlay --ingress --opt encrypted ingress2");
    }

    @AfterAll
    static void clear() {
        Dockerd.remove(work);
    }

    /// From the worst on.
    static final List<Status> WORST =
            List.of(Status.FAIL, Status.NOT_EVALUATED, Status.MANUAL, Status.PASS, Status.NOT_APPLICABLE);

    private static Map<String, Status> audit(Dockerd daemon, Path root, String label) {
        return audit(daemon, root, label, Duration.ZERO);
    }

    /// The worst status of each check.
    /// @param later how much later than it is the audit takes it to be
    private static Map<String, Status> audit(Dockerd daemon, Path root, String label, Duration later) {
        HostAuditRequest request = request(daemon, Path.of("/"), later);
        Facts facts = StagedHost.joined(
                Collector.collect(request.scope()),
                Collector.collect(request(daemon, root, later).scope()));
        Map<String, Status> worst = new LinkedHashMap<>();
        for (Finding finding : HostAudit.judge(facts, request).findings()) {
            String name = finding.check().name();
            Status known = worst.get(name);
            if (known == null || WORST.indexOf(finding.status()) < WORST.indexOf(known)) {
                worst.put(name, finding.status());
                MESSAGES.put(label + " " + name, finding.subject() + ": " + finding.message());
            }
        }
        return worst;
    }

    private static HostAuditRequest request(Dockerd daemon, Path root, Duration later) {
        long second = System.currentTimeMillis() / 1000 + later.toSeconds();
        return LiveRequests.at(second, Optional.of(daemon.socket()), root);
    }

    static Stream<String> swarmChecks() {
        return OTHERS.stream();
    }

    static Stream<String> files() {
        return FILE_KINDS.stream().flatMap(kind -> Stream.of(kind + "-owner", kind + "-mode"));
    }

    static Stream<String> watched() {
        return WATCHED.stream();
    }

    private static void failsThenPasses(String check) {
        var told = new ArrayList<String>();
        told.add(MESSAGES.getOrDefault("bad " + check, "no answer"));
        told.add(MESSAGES.getOrDefault("good " + check, "no answer"));
        assertThat(bad).as("%s", told).containsEntry(check, Status.FAIL);
        assertThat(good).as("%s", told).containsEntry(check, Status.PASS);
    }

    @ParameterizedTest
    @MethodSource("swarmChecks")
    void each_check_fails_the_bad_engine_and_passes_the_good_one(String check) {
        failsThenPasses(check);
    }

    @ParameterizedTest
    @MethodSource("files")
    void each_check_of_a_file_fails_the_open_one_and_passes_the_closed_one(String check) {
        failsThenPasses(check);
    }

    @ParameterizedTest
    @MethodSource("watched")
    void a_path_is_not_watched_where_the_kernel_has_no_rule(String check) {
        // where the rules cannot even be read, as in a pid namespace, that is told
        assertThat(bad.get(check))
                .as(MESSAGES.getOrDefault("bad " + check, "no answer"))
                .isIn(watched ? List.of(Status.FAIL) : List.of(Status.FAIL, Status.NOT_EVALUATED));
    }

    @ParameterizedTest
    @MethodSource("watched")
    void a_path_is_watched_where_the_kernel_has_the_rule(String check) {
        assumeTrue(watched, "this kernel takes audit rules from here");
        assertThat(good).as(MESSAGES.getOrDefault("good " + check, "no answer")).containsEntry(check, Status.PASS);
    }

    @ParameterizedTest
    @MethodSource("swarmSwitches")
    void swarm_and_live_restore_exclude_each_other(String check, Status swarm, Status none) {
        assertThat(good).containsEntry(check, swarm);
        assertThat(withoutSwarm).containsEntry(check, none);
    }

    @Test
    void a_container_that_stands_unused_is_told_when_its_days_are_over() {
        assertThat(bad).containsEntry("container-sprawl", Status.PASS);
        assertThat(later).containsEntry("container-sprawl", Status.FAIL);
    }

    @Test
    void the_age_of_a_key_is_for_people_to_tell_where_there_is_one() {
        assertThat(bad).containsEntry("autolock-key-age", Status.NOT_APPLICABLE);
        assertThat(good).containsEntry("autolock-key-age", Status.MANUAL);
    }

    static Stream<org.junit.jupiter.params.provider.Arguments> swarmSwitches() {
        return Stream.of(
                org.junit.jupiter.params.provider.Arguments.of("swarm-on", Status.FAIL, Status.PASS),
                org.junit.jupiter.params.provider.Arguments.of("live-restore-off", Status.NOT_APPLICABLE, Status.FAIL));
    }
}
