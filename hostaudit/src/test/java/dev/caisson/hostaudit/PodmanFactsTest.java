package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.checks.EngineAdvice;
import dev.caisson.hostaudit.checks.HostRule;
import dev.caisson.hostaudit.checks.HostRules;
import dev.caisson.hostaudit.engines.ContainerClaims;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.Tree;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What podman has by default is judged as podman's, and what to do is said in its own commands and files.
class PodmanFactsTest {
    private static final String TASK = "containers/0/truth/processes/0/";
    private static final String CLAIMS = "containers/0/claims/";
    /// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT.
    private static final long CAPABILITIES = 0x8004_05fbL;
    private static final long SYS_ADMIN = 1L << 21;
    private static final List<String> LEFT_TO_CAPABILITIES = List.of("mount", "setns", "umount2", "unshare");

    /// The recorded host, had podman made its container.
    private static Facts podman(Object... changes) {
        List<Object> all = new ArrayList<>(List.of(
                "engine/product",
                "podman",
                "engine/socket",
                "/run/podman/podman.sock",
                "engine/configuration",
                Map.of(),
                "engine/configurationFile",
                "/etc/containers/containers.conf",
                "engine/claims/loggingDriver",
                "",
                "engine/claims/securityOptions",
                List.of("name=seccomp,profile=default"),
                CLAIMS + "logDriver",
                "journald",
                TASK + "bounding",
                CAPABILITIES,
                TASK + "effective",
                CAPABILITIES,
                TASK + "permitted",
                CAPABILITIES,
                "containers/0/truth/filter/allowed",
                LEFT_TO_CAPABILITIES));
        all.addAll(List.of(changes));
        return FactsFile.with(all.toArray());
    }

    private static List<Finding> audit(Facts facts) {
        return HostAudit.judge(facts, LiveRequests.of(facts, Optional.empty(), 2))
                .findings();
    }

    private static List<Status> statuses(String check, Facts facts) {
        return audit(facts).stream()
                .filter(finding -> finding.check().name().equals(check))
                .map(Finding::status)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"log-endless", "logs-local", "seccomp-profile-default", "filter-off", "filter-too-wide"})
    void what_podman_has_by_default_is_no_finding(String check) {
        assertThat(statuses(check, podman()))
                .isNotEmpty()
                .allMatch(status -> status == Status.PASS || status == Status.NOT_APPLICABLE);
    }

    /// @param log what podman's own API says, where the one for Docker's clients says json-file of each
    record LogCase(String log, Status status) {}

    static Stream<LogCase> logs() {
        return Stream.of(
                new LogCase("{\"Type\": \"journald\", \"Config\": null, \"Size\": \"0B\"}", Status.PASS),
                new LogCase("{\"Type\": \"none\", \"Size\": \"0B\"}", Status.PASS),
                new LogCase("{\"Type\": \"passthrough\", \"Size\": \"0B\"}", Status.PASS),
                new LogCase("{\"Type\": \"k8s-file\", \"Size\": \"10MB\"}", Status.PASS),
                new LogCase("{\"Type\": \"k8s-file\", \"Size\": \"0B\"}", Status.FAIL));
    }

    @ParameterizedTest
    @MethodSource("logs")
    void the_log_that_podmans_own_api_tells_counts(LogCase each) {
        ContainerFacts.Claims claims = ContainerClaims.of(
                Tree.parse("{\"HostConfig\": {\"LogConfig\": {\"Type\": \"json-file\", \"Config\": null}}}"),
                Tree.parse(each.log()));

        assertThat(statuses(
                        "log-endless",
                        podman(CLAIMS + "logDriver", claims.logDriver(), CLAIMS + "logOptions", claims.logOptions())))
                .containsExactly(each.status());
    }

    @ParameterizedTest
    @ValueSource(strings = {"default", "/usr/share/containers/seccomp.json"})
    void a_filter_that_comes_with_podman_is_its_default(String profile) {
        assertThat(statuses(
                        "seccomp-profile-default",
                        podman("engine/claims/securityOptions", List.of("name=seccomp,profile=" + profile))))
                .containsExactly(Status.PASS);
    }

    @Test
    void a_filter_that_somebody_chose_for_podman_is_looked_at_and_none_fails() {
        assertThat(statuses(
                        "seccomp-profile-default",
                        podman(
                                "engine/claims/securityOptions",
                                List.of("name=seccomp,profile=/etc/containers/seccomp.json"))))
                .containsExactly(Status.MANUAL);
        assertThat(statuses(
                        "seccomp-profile-default", podman("engine/claims/securityOptions", List.of("name=rootless"))))
                .containsExactly(Status.FAIL);
    }

    /// @param changes which take away one of the reasons that make those calls harmless
    record WideCase(String what, List<Object> changes) {
        @Override
        public String toString() {
            return what;
        }
    }

    static Stream<WideCase> tooWide() {
        return Stream.of(
                new WideCase("a container of dockerd", List.of("engine/product", "docker")),
                new WideCase(
                        "a chosen profile", List.of(CLAIMS + "securityOptions", List.of("seccomp=/tmp/allow.json"))),
                new WideCase("one call more", List.of("containers/0/truth/filter/allowed", List.of("mount", "bpf"))),
                new WideCase("one capability more", List.of(TASK + "bounding", CAPABILITIES | SYS_ADMIN)));
    }

    @ParameterizedTest
    @MethodSource("tooWide")
    void calls_that_podmans_filter_leaves_to_capabilities_are_too_many_in_any_other_case(WideCase each) {
        assertThat(statuses("filter-too-wide", podman(each.changes().toArray())))
                .containsExactly(Status.FAIL);
    }

    @Test
    void no_advice_about_podman_names_commands_or_files_of_docker() {
        Facts facts = podman();
        for (HostRule rule : HostRules.ALL) {
            String name = rule.check().name();
            boolean applies =
                    rule.judge().apply(facts).stream().anyMatch(answer -> answer.status() != Status.NOT_APPLICABLE);
            if (applies && !name.startsWith("swarm")) {
                String advice = EngineAdvice.of(facts.engine(), name)
                        .orElse(rule.check().fix())
                        // what the rule of the kernel's audit is called
                        .replace("-k docker", "")
                        .replace("Dockerfile", "");
                assertThat(advice).as(name).doesNotContainIgnoringCase("docker").doesNotContain("daemon.json");
            }
        }
    }

    @Test
    void a_finding_tells_the_command_of_the_engine_that_it_is_about() {
        Object[] shell = {TASK + "name", "sshd", TASK + "executable", "/usr/sbin/sshd"};

        assertThat(advice("remote-shell", podman(shell)))
                .contains("podman exec")
                .doesNotContain("docker");
        assertThat(advice("remote-shell", FactsFile.with(shell)))
                .contains("docker exec")
                .doesNotContain("podman");
        assertThat(advice("log-endless", podman(CLAIMS + "logDriver", "k8s-file")))
                .contains("containers.conf");
    }

    private static String advice(String check, Facts facts) {
        return audit(facts).stream()
                .filter(finding -> finding.check().name().equals(check) && finding.status() == Status.FAIL)
                .map(Finding::remediation)
                .findFirst()
                .orElseThrow();
    }
}
