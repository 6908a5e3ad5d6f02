package dev.caisson.hostaudit;

import dev.caisson.audit.AuditRequest;
import dev.caisson.audit.Check;
import dev.caisson.audit.Checks;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Findings;
import dev.caisson.audit.Report;
import dev.caisson.audit.Subject;
import dev.caisson.containerfile.BaseImages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Audits this host: gathers the facts once, judges them by every check, and applies waivers and baseline.
public final class HostAudit {
    private HostAudit() {}

    /// Runs the audit.
    /// @throws dev.caisson.audit.AuditException where the engine or the target cannot be reached
    public static Report run(HostAuditRequest request) {
        return judge(Collector.collect(request), request);
    }

    /// The facts of this host as JSON, for [#judge(List, HostAuditRequest)] on another machine. Values of variables
    /// that hold secrets are left out.
    /// @throws dev.caisson.audit.AuditException where the engine or the target cannot be reached
    public static String facts(HostAuditRequest request) {
        return FactsJson.write(Collector.collect(request));
    }

    /// Facts that a host gathered.
    ///
    /// @param host what the host is called in the report
    /// @param json what [#facts] gave there
    /// @param problem why there are none, empty where there are
    public record HostJson(String host, String json, String problem) {}

    /// Judges what hosts gathered, in one report: no file, process or clock of this machine is looked at. Subjects are
    /// named `HOST/NAME`.
    /// @throws dev.caisson.audit.AuditException FACTS_UNREADABLE
    public static Report judge(List<HostJson> hosts, HostAuditRequest request) {
        List<Finding> findings = new ArrayList<>();
        List<String> targets = new ArrayList<>();
        for (HostJson host : hosts) {
            targets.add(host.host());
            if (host.problem().isEmpty()) {
                findings.addAll(findings(FactsJson.read(host.json()), request, host.host() + "/"));
            } else {
                findings.add(Answer.notEvaluated(Answer.HOST, host.problem())
                        .below(host.host() + "/")
                        .finding(Checks.find("not-read").orElseThrow()));
            }
        }
        return conclude(request, targets, findings);
    }

    /// Judges facts that were gathered: no file, process or clock is looked at.
    static Report judge(Facts facts, HostAuditRequest request) {
        List<String> targets = new ArrayList<>();
        targets.add(request.target().orElse("this host"));
        facts.engine().ifPresent(engine -> targets.add("unix://" + engine.socket()));
        return conclude(request, targets, findings(facts, request, ""));
    }

    private static List<Finding> findings(Facts facts, HostAuditRequest request, String prefix) {
        List<Finding> findings = new ArrayList<>();
        for (HostRule rule : HostRules.ALL) {
            if (wanted(rule.check(), request)) {
                rule.judge().apply(facts).stream()
                        .filter(answer -> wanted(answer.subject(), request))
                        .forEach(answer -> findings.add(answer.below(prefix).finding(rule.check())));
            }
        }
        return findings;
    }

    private static Report conclude(HostAuditRequest request, List<String> targets, List<Finding> findings) {
        return Findings.conclude(
                new AuditRequest(
                        Path.of(""),
                        List.of(),
                        Optional.empty(),
                        Map.of(),
                        BaseImages.NONE,
                        request.today(),
                        request.failOn(),
                        request.waivers(),
                        request.baseline()),
                targets,
                findings);
    }

    /// Where one container or image is asked for, answers about host and engine stay out.
    private static boolean wanted(Subject subject, HostAuditRequest request) {
        return request.target().isEmpty()
                || subject.kind()
                        == (request.target().get().startsWith("image:") ? Subject.Kind.IMAGE : Subject.Kind.CONTAINER);
    }

    private static boolean wanted(Check check, HostAuditRequest request) {
        if (request.benchmark().isPresent()
                && !check.cis().containsKey(request.benchmark().get())) {
            return false;
        }
        return Checks.level(check) <= request.level();
    }
}
