package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Check;
import dev.caisson.audit.Checks;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.checks.HostRule;
import dev.caisson.hostaudit.checks.HostRules;
import dev.caisson.hostaudit.checks.Releases;
import dev.caisson.hostaudit.facts.DeviceRules;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.kernel.SocketTable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Checks as functions of recorded facts with single facts changed, for what one machine cannot show live:
/// another storage driver, other releases, a swarm of three, the passing of time.
class FactChecksTest {
    private static final long DAY = 86_400;
    private static final long SECOND = FactsFile.recorded().second();
    private static final String TASK = "containers/0/truth/processes/0/";
    private static final Map<String, Object> SWARM = Map.ofEntries(
            Map.entry("managers", 3),
            Map.entry("reachableManagers", 3),
            Map.entry("autoLock", true),
            Map.entry("nodeCertificateSeconds", 30 * DAY),
            Map.entry("rootCertificateSecond", SECOND - 10 * DAY),
            Map.entry("rootRotation", 1),
            Map.entry("nodeAddress", "10.0.0.1"),
            Map.entry("dataPathAddress", "10.0.1.1"),
            Map.entry("listenAddress", "10.0.0.1:2377"),
            Map.entry("secrets", 1),
            Map.entry("services", List.of()));

    /// @param bad changes of the recorded facts, path and value in turn
    record FactCase(String check, List<Object> bad, Status badStatus, List<Object> good, Status goodStatus) {
        @Override
        public String toString() {
            return check;
        }
    }

    private static FactCase fails(String check, List<Object> bad, List<Object> good) {
        return new FactCase(check, bad, Status.FAIL, good, Status.PASS);
    }

    private static List<Object> facts(Object... changes) {
        return List.of(changes);
    }

    /// An engine that listens on TCP, with settings: name, value and who decided it.
    private static List<Object> tls(String... settings) {
        List<Object> all = new ArrayList<>(List.of(
                "engine/configuration/hosts/values", List.of("tcp://10.0.0.1:2376"),
                "engine/configuration/hosts/source", "file",
                "engine/claims/version", "26.1.5"));
        for (int at = 0; at < settings.length; at += 3) {
            all.addAll(List.of(
                    "engine/configuration/" + settings[at] + "/values",
                    List.of(settings[at + 1]),
                    "engine/configuration/" + settings[at] + "/source",
                    settings[at + 2]));
        }
        return all;
    }

    private static final List<Object> OWN_USERS = facts(
            "containers/0/truth/sharesHost", List.of("cgroup"),
            "containers/0/truth/uidMap", List.of(0, 100_000, 65_536));

    private static List<Object> stopped(String user, List<String> rootNames) {
        return facts(
                "containers/0/truth",
                FactsFile.ABSENT,
                "containers/0/claims/pid",
                0,
                "containers/0/claims/user",
                user,
                "images/0/content/rootNames",
                rootNames);
    }

    private static List<Object> clientKey(int mode) {
        String path = "/etc/docker/certs.d/registry/client.key";
        return facts(
                "host/files",
                Map.of(
                        path,
                        Map.of(
                                "path",
                                path,
                                "resolved",
                                path,
                                "kind",
                                "file",
                                "mode",
                                mode,
                                "grants",
                                List.of(),
                                "openParents",
                                List.of())));
    }

    private static List<Object> swarm(String field, Object value) {
        return facts("engine/swarm", SWARM, "engine/swarm/" + field, value);
    }

    static final List<FactCase> ALL = List.of(
            fails(
                    "api-tcp-open",
                    tls("tlsverify", "true", "file"),
                    tls("tls", "true", "file", "tlscacert", "/ca.pem", "file")),
            fails(
                    "api-tcp-open",
                    tls("tlsverify", "false", "file", "tls", "true", "file", "tlscacert", "/ca.pem", "file"),
                    tls("tlsverify", "true", "file", "tlscacert", "/ca.pem", "file")),
            fails("api-tcp-open", tls(), tls("tlsverify", "true", "flag")),
            fails("log-endless", facts(), facts("containers/0/claims/logDriver", "journald")),
            fails(
                    "log-endless",
                    facts("containers/0/claims/logDriver", "k8s-file"),
                    facts(
                            "containers/0/claims/logDriver",
                            "k8s-file",
                            "containers/0/claims/logOptions",
                            Map.of("max-size", "10MB"))),
            fails(
                    "registry-insecure",
                    facts("engine/claims/registryMirrors", List.of("http://mirror.example:5000")),
                    facts(
                            "engine/claims/registryMirrors",
                            List.of("https://mirror.example", "http://localhost:5000", "http://[::1]:5000/"))),
            fails(
                    "registry-insecure",
                    facts("engine/claims/insecureRegistries", List.of("127.0.0.0/7")),
                    facts(
                            "engine/claims/insecureRegistries",
                            List.of("127.0.0.0/8", "127.1.0.0/16", "127.0.0.1:5000", "localhost:5000", "[::1]:5000"))),
            fails(
                    "registry-insecure",
                    facts("engine/claims/insecureRegistries", List.of("127.0.0.1.example:5000")),
                    facts()),
            fails("registry-certificate-mode", clientKey(0444), clientKey(0600)),
            fails("container-root", stopped("toor", List.of("root", "toor")), stopped("anna", List.of("root", "toor"))),
            fails("container-root", stopped("00:5", List.of()), stopped("0100", List.of())),
            new FactCase(
                    "container-root",
                    facts(
                            "containers/0/truth",
                            FactsFile.ABSENT,
                            "containers/0/claims/pid",
                            0,
                            "containers/0/claims/user",
                            "anna",
                            "images/0/content",
                            FactsFile.ABSENT),
                    Status.NOT_EVALUATED,
                    facts(
                            "containers/0/truth",
                            FactsFile.ABSENT,
                            "containers/0/claims/pid",
                            0,
                            "containers/0/claims/user",
                            "7",
                            "images/0/content",
                            FactsFile.ABSENT),
                    Status.PASS),
            fails("storage-aufs", facts("engine/claims/storageDriver", "aufs"), facts()),
            fails("storage-devicemapper", facts("engine/claims/storageDriver", "devicemapper"), facts()),
            fails(
                    "base-size",
                    facts(
                            "engine/claims/storageDriver", "devicemapper",
                            "engine/configuration/storage-opts/values", List.of("dm.basesize=50G"),
                            "engine/configuration/storage-opts/source", "file"),
                    facts("engine/claims/storageDriver", "devicemapper")),
            fails("daemon-root", facts(), facts("engine/process/uid", 1000)),
            fails("userns-remap-off", facts(), facts("engine/claims/securityOptions", List.of("name=userns"))),
            fails("live-restore-off", facts(), facts("engine/claims/liveRestore", true)),
            fails("authorization-off", facts(), facts("engine/claims/authorizationPlugins", List.of("opa"))),
            fails(
                    "engine-outdated",
                    facts("engine/claims/runcVersion", "1.1.11"),
                    facts(
                            "second", Releases.TABLE_OF.toEpochDay() * DAY,
                            "engine/claims/version", "29.0.1",
                            "engine/claims/containerdVersion", "2.2.0",
                            "engine/claims/runcVersion", "1.3.3")),
            fails(
                    "kernel-settings",
                    facts("host/settings", Map.of("kernel.kptr_restrict", "0")),
                    facts("host/settings", Map.of("kernel.kptr_restrict", "1"))),
            fails(
                    "apparmor-off",
                    facts("host/appArmor", true),
                    facts("host/appArmor", true, TASK + "label", "docker-default (enforce)")),
            fails(
                    "selinux-off",
                    facts("host/seLinux", "enforcing"),
                    facts("host/seLinux", "enforcing", TASK + "label", "system_u:system_r:container_t:s0:c1,c2")),
            fails(
                    "host-devices",
                    facts("containers/0/truth/deviceRules", List.of("c 1:3 rwm", "b 8:* rw")),
                    facts("containers/0/truth/deviceRules", List.of("c 1:3 rwm", "b *:* m", "c 10:200 rwm"))),
            fails(
                    "host-devices",
                    facts(
                            "containers/0/truth/deviceNodes",
                            List.of("c 10:229 /dev/sub/fuse"),
                            "containers/0/truth/deviceRules",
                            List.of("c 10:229 rw")),
                    facts("containers/0/truth/deviceNodes", List.of("b 8:0 /dev/sub/sda"), TASK + "bounding", 0)),
            new FactCase(
                    "host-devices",
                    facts("containers/0/truth/deviceNodes", List.of("not all of /dev/sub")),
                    Status.NOT_EVALUATED,
                    facts("containers/0/truth/deviceNodes", List.of()),
                    Status.PASS),
            fails(
                    "host-devices",
                    facts(
                            "containers/0/truth/deviceNodes",
                            List.of("c 10:229 /dev/sub/fuse", "not all of /dev/sub"),
                            "containers/0/truth/deviceRules",
                            List.of("c 10:229 rw")),
                    facts("containers/0/truth/deviceNodes", List.of())),
            fails(
                    "container-root",
                    facts(TASK + "uids", List.of(65532, 0, 65532, 65532)),
                    facts(TASK + "uids", List.of(65532, 65532, 65532, 65532))),
            fails("container-root", facts(), OWN_USERS),
            fails("userns-shared", facts(), OWN_USERS),
            // a namespace that maps root inside to root outside is none
            fails("container-root", facts("containers/0/truth/sharesHost", List.of("cgroup")), OWN_USERS),
            fails("userns-shared", facts("containers/0/truth/sharesHost", List.of("cgroup")), OWN_USERS),
            fails("ambient-capabilities", facts(TASK + "ambient", 1024), facts()),
            fails("image-stale", facts("second", SECOND + 200 * DAY), facts("second", SECOND + DAY)),
            fails("image-untrusted", facts(), facts("images/0/digests", List.of("registry/bb@sha256:0"))),
            fails("image-sprawl", facts("images/0/users", 0, "second", SECOND + 100 * DAY), facts()),
            fails(
                    "container-sprawl",
                    facts("containers/0/state", "exited", "second", SECOND + 10 * DAY),
                    facts("containers/0/state", "exited")),
            fails("swarm-managers", swarm("managers", 2), swarm("managers", 3)),
            fails("swarm-ca-age", swarm("rootCertificateSecond", SECOND - 400 * DAY), swarm("managers", 3)),
            new FactCase(
                    "autolock-key-age",
                    swarm("managers", 3),
                    Status.MANUAL,
                    swarm("autoLock", false),
                    Status.NOT_APPLICABLE),
            new FactCase(
                    "not-read",
                    facts("gaps", List.of(Map.of("what", "a file", "reason", "not root"))),
                    Status.NOT_EVALUATED,
                    facts(),
                    Status.PASS));

    static Stream<FactCase> cases() {
        return ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void each_check_tells_bad_facts_from_good_ones(FactCase each) {
        assertThat(statuses(each.check(), FactsFile.with(each.bad().toArray()))).contains(each.badStatus());
        assertThat(statuses(each.check(), FactsFile.with(each.good().toArray())))
                .containsOnly(each.goodStatus());
    }

    private static List<Status> statuses(String check, Facts facts) {
        return audit(facts, Optional.empty(), 2).stream()
                .filter(finding -> finding.check().name().equals(check))
                .map(Finding::status)
                .toList();
    }

    private static List<Finding> audit(Facts facts, Optional<String> benchmark, int level) {
        return HostAudit.judge(facts, LiveRequests.of(facts, benchmark, level)).findings();
    }

    /// Each needs what could not be read; none may pass.
    static Stream<FactCase> withoutFacts() {
        Stream<FactCase> process = Stream.of(
                        "daemon-root",
                        "log-level",
                        "iptables-off",
                        "api-tcp-open",
                        "ulimits-default",
                        "cgroup-parent",
                        "base-size",
                        "no-new-privileges-default-off",
                        "userland-proxy-on",
                        "host-services-open",
                        "swarm-everywhere",
                        "ulimits-inherited")
                .map(check -> notEvaluated(
                        check,
                        "engine/process",
                        FactsFile.ABSENT,
                        "engine/listeners",
                        List.of(),
                        "engine/swarm",
                        SWARM,
                        "containers/0/truth/rlimits",
                        Map.of("Max open files", "1024:4096")));
        Stream<FactCase> configuration = Stream.of("iptables-off", "cgroup-parent", "log-level")
                .map(check -> notEvaluated(check, "gaps", gap("/etc/docker/daemon.json")));
        Stream<FactCase> files = Stream.of("daemon-json-mode", "daemon-json-owner", "audit-daemon-json")
                .map(check -> notEvaluated(check, "gaps", gap("/etc/docker/daemon.json")));
        Stream<FactCase> others = Stream.of(
                notEvaluated("etc-docker-mode", "host/files", Map.of(), "gaps", gap("/etc/docker")),
                notEvaluated(
                        "service-file-mode", "host/files", Map.of(), "gaps", gap("/lib/systemd/system/docker.service")),
                notEvaluated(
                        "audit-docker-service",
                        "host/files",
                        Map.of(),
                        "gaps",
                        gap("/lib/systemd/system/docker.service")),
                notEvaluated("registry-certificate-mode", "gaps", gap("/etc/docker/certs.d")),
                notEvaluated("engine-users", "host/files", Map.of()),
                notEvaluated("engine-users", "gaps", gap("/etc/group")),
                notEvaluated("image-root", "images/0/user", "app", "images/0/content", FactsFile.ABSENT),
                notEvaluated("image-secrets", "images/0/content", FactsFile.ABSENT),
                notEvaluated("image-add", "images/0/history", List.of()),
                notEvaluated(
                        "node-certificate-life",
                        swarm("nodeCertificateSeconds", 0).toArray()));
        return Stream.of(process, configuration, files, others).flatMap(cases -> cases);
    }

    private static FactCase notEvaluated(String check, Object... changes) {
        return new FactCase(check, List.of(changes), Status.NOT_EVALUATED, List.of(), Status.PASS);
    }

    private static List<Object> gap(String what) {
        return List.of(Map.of("what", what, "reason", "permission denied"));
    }

    @ParameterizedTest
    @MethodSource("withoutFacts")
    void nothing_passes_without_the_facts_that_it_needs(FactCase each) {
        assertThat(statuses(each.check(), FactsFile.with(each.bad().toArray()))).containsOnly(Status.NOT_EVALUATED);
    }

    @Test
    void a_user_by_number_needs_no_accounts() {
        assertThat(statuses(
                        "image-root", FactsFile.with("images/0/user", "65532:0", "images/0/content", FactsFile.ABSENT)))
                .containsExactly(Status.PASS);
    }

    @Test
    void what_could_not_be_read_is_told_whatever_benchmark_or_level_was_asked_for() {
        Facts facts = FactsFile.with("gaps", gap("/etc/docker"));

        assertThat(audit(facts, Optional.of("1.8"), 1))
                .filteredOn(finding -> finding.check().name().equals("not-read"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("/etc/docker"));
    }

    /// Names of checks with a bad and a good case that runs.
    private static Set<String> live() {
        Set<String> live = new HashSet<>(LiveEngineTest.COVERED);
        ContainerCases.ALL.forEach(each -> live.add(each.check()));
        LiveContainersTest.IMAGES.forEach(each -> live.add(each.check()));
        live.addAll(EnginesTest.COVERED);
        live.addAll(EmulatedHostAuditTest.COVERED);
        return live;
    }

    /// `docs/host-audit.md` says why.
    @Test
    void a_check_without_live_cases_is_one_that_cannot_have_them() {
        assertThat(Checks.ofHosts().stream().map(Check::name).filter(name -> !live().contains(name)))
                .containsExactlyInAnyOrder("storage-aufs", "storage-devicemapper", "base-size", "engine-outdated");
    }

    @Test
    void no_check_lacks_its_bad_and_its_good_case() {
        Set<String> covered = live();
        ALL.forEach(each -> covered.add(each.check()));

        assertThat(Checks.ofHosts())
                .allSatisfy(check -> assertThat(covered).as(check.id()).contains(check.name()));
        assertThat(HostRules.ALL.stream().map(HostRule::check).toList())
                .as("every check has a function")
                .containsExactlyInAnyOrderElementsOf(Checks.ofHosts());
    }

    @Test
    void each_version_of_the_benchmark_is_answered_as_a_whole() {
        Map.of("1.6", 117, "1.7", 117, "1.8", 118).forEach((version, count) -> {
            List<String> ids = audit(FactsFile.recorded(), Optional.of(version), 2).stream()
                    .flatMap(finding -> finding.check().cis().getOrDefault(version, List.of()).stream())
                    .distinct()
                    .toList();
            assertThat(ids).as(version).hasSize(count);
        });
    }

    @Test
    void each_version_of_the_benchmark_is_answered_as_a_whole_without_containers_and_images() {
        Facts empty = FactsFile.with("containers", List.of(), "images", List.of());

        Map.of("1.6", 117, "1.7", 117, "1.8", 118).forEach((version, count) -> {
            List<Finding> findings = audit(empty, Optional.of(version), 2);
            assertThat(findings.stream()
                            .flatMap(finding -> finding.check().cis().getOrDefault(version, List.of()).stream())
                            .distinct())
                    .as(version)
                    .hasSize(count);
            assertThat(findings)
                    .filteredOn(finding -> finding.check().name().equals("host-net"))
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.status()).isEqualTo(Status.NOT_APPLICABLE);
                        assertThat(finding.message()).isEqualTo("there is no container");
                    });
        });
    }

    @Test
    void level_one_leaves_out_level_two() {
        Set<Check> one = new HashSet<>();
        audit(FactsFile.recorded(), Optional.empty(), 1).forEach(finding -> one.add(finding.check()));

        assertThat(one).isNotEmpty().allMatch(check -> Checks.level(check) == 1);
        assertThat(one.stream().map(Check::name)).contains("host-net").doesNotContain("image-setuid");
    }

    @Test
    void addresses_of_the_kernel_are_read_in_the_machines_order() {
        assertThat(SocketTable.address("0100007F")).isEqualTo("127.0.0.1");
        assertThat(SocketTable.address("00000000")).isEqualTo("0.0.0.0");
        assertThat(SocketTable.address("00000000000000000000000000000000")).isEqualTo("::");
        assertThat(SocketTable.address("00000000000000000000000001000000")).isEqualTo("::1");
    }

    @Test
    void a_table_of_sockets_is_read_unless_the_kernel_counts_none() {
        String counts =
                "sockets: used 3\nTCP: inuse 0 orphan 0 tw 0 alloc 9 mem 1\nUDP: inuse 2 mem 0\nTCP6: inuse 10\n";

        assertThat(SocketTable.inUse(counts, "tcp")).isFalse();
        assertThat(SocketTable.inUse(counts, "udp")).isTrue();
        assertThat(SocketTable.inUse(counts, "tcp6")).isTrue();
        assertThat(SocketTable.inUse(counts, "udp6")).as("not counted").isTrue();
    }

    @Test
    void a_device_is_permitted_by_type_number_and_access() {
        List<String> usual = List.of("b *:* m", "c *:* m", "c 1:3 rwm");

        assertThat(DeviceRules.permitted("b 254:0 /dev/vda", usual)).isFalse();
        assertThat(DeviceRules.permitted("c 1:3 /dev/null", usual)).isTrue();
        assertThat(DeviceRules.permitted("b 254:0 /dev/vda", List.of("a *:* rwm")))
                .isTrue();
    }
}
