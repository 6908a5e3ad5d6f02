package dev.caisson.hostaudit;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.AuditRequest;
import dev.caisson.audit.Check;
import dev.caisson.audit.Checks;
import dev.caisson.audit.FileOrigins;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Findings;
import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.containerfile.BaseImages;
import dev.caisson.hostaudit.checks.Answer;
import dev.caisson.hostaudit.checks.ClaimChecks;
import dev.caisson.hostaudit.checks.EngineAdvice;
import dev.caisson.hostaudit.checks.HostRule;
import dev.caisson.hostaudit.checks.HostRules;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.engines.EngineSockets;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.FactsJson;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.Proc;
import dev.caisson.hostaudit.proposals.HostProposals;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Function;

/// Audits this host: gathers the facts once, judges them by every check, and applies waivers and baseline.
public final class HostAudit {
    private static final String NOT_READ = "not-read";

    private HostAudit() {}

    /// Runs the audit.
    /// @throws dev.caisson.audit.AuditException where the engine or the target cannot be reached
    public static Report run(HostAuditRequest request) {
        return run(request, List.of());
    }

    /// Runs the audit; beside what is wrong with a container or an image stands the line of its file.
    /// @param dockerfiles what images here may be built from; compose files are known by labels
    /// @throws dev.caisson.audit.AuditException where the engine or the target cannot be reached
    public static Report run(HostAuditRequest request, List<Path> dockerfiles) {
        Facts facts = Collector.collect(request.scope());
        FileOrigins origins = new FileOrigins(request.hostRoot(), request.today(), dockerfiles);
        SubjectFiles files = new SubjectFiles(facts, origins);
        return judge(facts, request).withEvidence(files::of);
    }

    /// Runs the audit and proposes files with which failed checks of host and engine pass. Nothing is applied.
    /// @throws dev.caisson.audit.AuditException where the engine or the target cannot be reached
    public static Proposal propose(HostAuditRequest request, List<Path> dockerfiles) {
        Facts facts = Collector.collect(request.scope());
        FileOrigins origins = new FileOrigins(request.hostRoot(), request.today(), dockerfiles);
        SubjectFiles files = new SubjectFiles(facts, origins);
        Report report = judge(facts, request).withEvidence(files::of);
        Map<String, HostProposals.Started> started = new HashMap<>();
        facts.engines().forEach(engine -> started.putIfAbsent(engine.socket(), started(facts, engine, request)));
        return HostProposals.of(report, facts, request.hostRoot(), started);
    }

    private static HostProposals.Started started(Facts facts, EngineFacts engine, HostAuditRequest request) {
        List<String> arguments =
                engine.process().map(process -> Proc.commandLine(process.pid())).orElse(List.of());
        String file = engine.configurationFile();
        Optional<String> problem = facts.gapAt(file).map(gap -> gap.what() + ": " + gap.reason());
        if (problem.isPresent()) {
            return new HostProposals.Started("", problem.get(), arguments);
        }
        List<Facts.Gap> gaps = new ArrayList<>();
        long user = EngineSockets.user(engine.socket(), engine.process());
        String text = new HostFiles(request.hostRoot(), gaps).text(file, user).orElse("");
        return new HostProposals.Started(
                text, gaps.isEmpty() ? "" : file + ": " + gaps.getFirst().reason(), arguments);
    }

    /// The facts of this host as JSON, for [#judge(List, HostAuditRequest)] on another machine. Values of
    /// variables that hold secrets are left out.
    /// @throws dev.caisson.audit.AuditException where the engine or the target cannot be reached
    public static String facts(HostAuditRequest request) {
        return FactsJson.write(Collector.collect(request.scope()));
    }

    /// Facts that a host gathered.
    ///
    /// @param host what the host is called in the report
    /// @param json what [#facts] gave there
    /// @param problem why there are none, empty where there are
    public record HostJson(String host, String json, String problem) {}

    /// Judges what hosts gathered, in one report: no file, process or clock of this machine is looked at.
    /// Subjects are named `HOST/NAME`. One whose facts cannot be read is told beside the others.
    public static Report judge(List<HostJson> hosts, HostAuditRequest request) {
        List<Finding> findings = new ArrayList<>();
        List<String> targets = new ArrayList<>();
        for (HostJson host : hosts) {
            targets.add(host.host());
            findings.addAll(host.problem().isEmpty() ? ofHost(host, request) : List.of(unread(host, host.problem())));
        }
        return conclude(request, targets, findings);
    }

    /// Judges what another machine sent, which is input: if it is no facts, or they do not fit together, that host
    /// alone is not judged.
    private static List<Finding> ofHost(HostJson host, HostAuditRequest request) {
        try {
            return findings(
                    FactsJson.read(host.json()), request, host.host() + "/", facts -> answers(facts, request, true));
        } catch (AuditException e) {
            return List.of(unread(host, String.valueOf(e.getMessage())));
        } catch (IndexOutOfBoundsException | IllegalArgumentException | NoSuchElementException e) {
            return List.of(unread(host, "its facts do not fit together: " + e.getMessage()));
        }
    }

    private static Finding unread(HostJson host, String problem) {
        return Answer.notEvaluated(Answer.HOST, problem)
                .advising(
                        "Run caisson audit --save-facts - on that host as root: what it prints is what is needed here.")
                .below(host.host() + "/")
                .finding(Checks.find(NOT_READ).orElseThrow());
    }

    /// Judges facts that were gathered: no file, process or clock is looked at.
    static Report judge(Facts facts, HostAuditRequest request) {
        List<String> targets = new ArrayList<>();
        targets.add(request.target().orElse("this host"));
        facts.engines().forEach(engine -> targets.add("unix://" + engine.socket()));
        return conclude(request, targets, findings(facts, request, "", view -> answers(view, request, false)));
    }

    private static List<Finding> findings(
            Facts facts,
            HostAuditRequest request,
            String prefix,
            Function<Facts, Map<HostRule, List<Answer>>> answersOf) {
        List<Finding> findings = new ArrayList<>();
        Map<HostRule, List<Answer>> told = new HashMap<>();
        for (Facts.View view : facts.views()) {
            answersOf.apply(view.facts()).forEach((rule, answers) -> {
                List<Answer> before = told.computeIfAbsent(rule, asked -> new ArrayList<>());
                List<Answer> news = answers.stream()
                        .filter(answer -> isNews(answer, view, before))
                        .toList();
                before.addAll(news);
                news.forEach(answer -> findings.add(advised(answer, rule.check(), view)
                        .about(view.subject(answer.subject()))
                        .below(prefix)
                        .finding(rule.check())));
            });
        }
        told.forEach((rule, answers) -> {
            if (answers.isEmpty() && request.target().isEmpty()) {
                findings.add(Answer.notApplicable(Answer.HOST, nothing(rule.check(), facts))
                        .below(prefix)
                        .finding(rule.check()));
            }
        });
        return findings;
    }

    private static Answer advised(Answer answer, Check check, Facts.View view) {
        return answer.advice().isPresent()
                ? answer
                : EngineAdvice.of(view.facts().engine(), check.name())
                        .map(answer::advising)
                        .orElse(answer);
    }

    /// Says why a check has nothing to judge; a list of recommendations shows the check all the same.
    private static String nothing(Check check, Facts facts) {
        boolean ofImages = check.id().startsWith("CSN-IM-");
        boolean any = facts.views().stream()
                .anyMatch(view -> !view.facts().containers().isEmpty());
        return ofImages ? "there is no image" : any ? "no container runs" : "there is no container";
    }

    /// True if no other view has given the answer: host and files are the same for every engine and reported once.
    private static boolean isNews(Answer answer, Facts.View view, List<Answer> before) {
        if (view.first()) {
            return true;
        }
        boolean engine = view.facts().engine().isPresent();
        boolean podman = view.facts().engine().filter(EngineFacts::isPodman).isPresent();
        return switch (answer.subject().kind()) {
            case HOST -> engine && !before.contains(answer);
            case FILE ->
                engine
                        && answer.status() != Status.NOT_APPLICABLE
                        && before.stream().noneMatch(told -> told.subject().equals(answer.subject()));
            // podman has no swarm
            case DAEMON -> engine && (!podman || answer.subject().equals(Answer.ENGINE));
            case CONTAINER,
                    IMAGE,
                    NETWORK,
                    VOLUME,
                    BUILD_STAGE,
                    COMPOSE_SERVICE,
                    KUBERNETES_CONTAINER,
                    KUBERNETES_OBJECT -> true;
        };
    }

    /// @param whole whether facts that do not fit together make all of them worthless
    private static Map<HostRule, List<Answer>> answers(Facts facts, HostAuditRequest request, boolean whole) {
        Map<HostRule, List<Answer>> all = new LinkedHashMap<>();
        Map<HostRule, List<Answer>> known = new HashMap<>();
        Function<HostRule, List<Answer>> once = rule ->
                known.computeIfAbsent(rule, asked -> whole ? asked.judge().apply(facts) : answers(asked, facts));
        for (HostRule rule : HostRules.ALL) {
            if (wanted(rule.check(), request)) {
                List<Answer> answers = rule.equals(HostRules.CONTRADICTED)
                        ? ClaimChecks.contradictions(HostRules.SINGLE, facts, once)
                        : once.apply(rule);
                all.put(
                        rule,
                        answers.stream()
                                .filter(answer -> wanted(answer.subject(), request))
                                .toList());
            }
        }
        return all;
    }

    /// Facts rest on what engines and files say: a check that they break is not answered, and ends no other.
    private static List<Answer> answers(HostRule rule, Facts facts) {
        try {
            return rule.judge().apply(facts);
        } catch (IndexOutOfBoundsException
                | IllegalArgumentException
                | NoSuchElementException
                | ArithmeticException e) {
            return List.of(Answer.notEvaluated(
                    facts.engine().isPresent() ? Answer.ENGINE : Answer.HOST,
                    "the facts that it needs do not fit together: " + e.getMessage()));
        }
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

    /// True if the report has the subject: one about a single container or image leaves host and engine out.
    private static boolean wanted(Subject subject, HostAuditRequest request) {
        return request.target().isEmpty()
                || subject.kind()
                        == (request.target().get().startsWith("image:") ? Subject.Kind.IMAGE : Subject.Kind.CONTAINER);
    }

    /// True if the report has the check. What could not be read is always reported: an answer may be missing for it.
    private static boolean wanted(Check check, HostAuditRequest request) {
        if (check.name().equals(NOT_READ)) {
            return true;
        }
        if (request.benchmark().isPresent()
                && !check.cis().containsKey(request.benchmark().get())) {
            return false;
        }
        return Checks.level(check) <= request.level();
    }
}
