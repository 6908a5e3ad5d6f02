package dev.caisson.hostaudit;

import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.proposals.HostProposals;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;

/// What tests of proposed files share: they are made of facts, and applied by the commands that are told.
abstract class ProposedFiles {
    @TempDir
    Path root = Path.of("");

    static HostAuditRequest request(Optional<Path> socket, Path hostRoot) {
        return LiveRequests.at(FactsFile.recorded().second(), socket, hostRoot);
    }

    static Report judge(Facts facts) {
        return HostAudit.judge(facts, request(Optional.empty(), Path.of("/")));
    }

    static List<String> failed(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .map(finding -> finding.check().name())
                .distinct()
                .toList();
    }

    static String text(Proposal proposal, String name) {
        return new String(
                Optional.ofNullable(proposal.files().get(name)).orElseThrow().bytes(), StandardCharsets.UTF_8);
    }

    Proposal propose(Facts facts, String daemonJson, String... arguments) {
        var started = new HostProposals.Started(daemonJson, "", List.of(arguments));
        return HostProposals.of(
                judge(facts),
                facts,
                root.resolve("host"),
                facts.engines().stream().collect(Collectors.toMap(EngineFacts::socket, engine -> started)));
    }

    /// Runs the command that is told.
    static void apply(Proposal proposal, String file, Path out) {
        String told = proposal.notes().stream()
                .filter(note -> note.file().equals(file))
                .findFirst()
                .orElseThrow()
                .below(out);
        Dockerd.must("sh", "-c", told.substring(told.lastIndexOf(": ") + 2));
    }
}
