package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What each rule proposes settles its finding.
class FixRulesTest extends FixFiles {
    static Stream<RuleCases.Case> cases() {
        return RuleCases.ALL.stream();
    }

    /// Whatever a rule proposes for its bad file: the result is a file, the finding is gone and no new one is there.
    @ParameterizedTest
    @MethodSource("cases")
    void what_a_rule_proposes_settles_it(RuleCases.Case rule) throws Exception {
        Files.writeString(root.resolve("secret.env"), "API_TOKEN=abcdefgh\n");
        Path file = Files.createDirectories(root.resolve("d")).resolve(rule.fileName());
        Files.writeString(root.resolve("d/secret.env"), "API_TOKEN=abcdefgh\n");
        Files.writeString(file, rule.bad());
        String name = "d/" + rule.fileName();
        Proposal proposal = FileAudit.propose(request(name));
        proposal.writeTo(root.resolve("out"));
        assertThat(proposal.refused()).isEmpty();
        boolean patched = proposal.files().containsKey("fixes.patch");
        if (!rule.fileName().equals("Dockerfile")) {
            boolean understood = unknown(proposal.report()).stream().noneMatch(told -> told.endsWith("understood"));
            assertThat(patched)
                    .as("compose and Kubernetes files always get a patch")
                    .isEqualTo(understood && !rule.fileName().equals("object.yaml"));
        }

        Path override = root.resolve("out/d/compose.override.yaml");
        assertThat(Files.exists(override)).isEqualTo(patched && rule.fileName().equals("compose.yaml"));
        if (Files.exists(override)) {
            Path laid = Files.copy(override, root.resolve("d/compose.override.yaml"));
            assertSettled(proposal, name, rule);
            Files.delete(laid);
        }
        if (patched) {
            run("patch", "-p1", "-i", "out/fixes.patch");
        }
        assertSettled(proposal, name, rule);
    }

    private void assertSettled(Proposal proposal, String name, RuleCases.Case rule) {
        Report after = FileAudit.run(request(name));
        assertThat(failed(after)).isSubsetOf(failed(proposal.report()));
        assertThat(unknown(after)).isSubsetOf(unknown(proposal.report()));
        if (PATCHED.contains(rule.check())) {
            assertThat(failed(after)).noneMatch(finding -> finding.endsWith(" " + rule.check()));
        }
    }

    /// Rules whose finding a patch settles, whatever else is in the file.
    private static final Set<String> PATCHED = Set.of(
            "memory-unlimited",
            "cpu-unlimited",
            "pids-unlimited",
            "log-unbounded",
            "runs-as-root",
            "privileged",
            "host-pid",
            "host-ipc",
            "host-uts",
            "host-userns",
            "host-cgroup",
            "capability-added",
            "capabilities-kept",
            "privileges-gained",
            "seccomp-off",
            "root-writable",
            "engine-socket",
            "restart-always",
            "oom-kill-off",
            "default-bridge",
            "service-account-token",
            "storage-unlimited",
            "image-user-root",
            "add-for-copy");
}
