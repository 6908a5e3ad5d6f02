package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Agreement;
import dev.caisson.audit.Check;
import dev.caisson.audit.Evidence;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Severity;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.ImageFacts;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The answer of a check for one subject.
///
/// @param severity where it differs from the check's own
/// @param claim what engine or file says
/// @param truth what the kernel shows
/// @param advice what to do, where the check's own advice does not help
public record Answer(
        Subject subject,
        Status status,
        String message,
        Optional<Severity> severity,
        Optional<String> claim,
        Optional<String> truth,
        Optional<Agreement> agreement,
        List<Evidence> evidence,
        Optional<String> advice) {
    public static final Subject HOST = new Subject(Subject.Kind.HOST, "this host");
    public static final Subject ENGINE = Facts.ENGINE;

    public static Subject subject(ContainerFacts container) {
        return new Subject(Subject.Kind.CONTAINER, container.name());
    }

    public static Subject subject(ImageFacts image) {
        return new Subject(Subject.Kind.IMAGE, image.label());
    }

    static Subject file(String path) {
        return new Subject(Subject.Kind.FILE, path);
    }

    private static Answer of(Subject subject, Status status, String message) {
        return new Answer(
                subject,
                status,
                message,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty());
    }

    static Answer pass(Subject subject, String message) {
        return of(subject, Status.PASS, message);
    }

    static Answer fail(Subject subject, String message) {
        return of(subject, Status.FAIL, message);
    }

    static Answer failIf(boolean bad, Subject subject, String badMessage, String goodMessage) {
        return bad ? fail(subject, badMessage) : pass(subject, goodMessage);
    }

    static Answer manual(Subject subject, String message) {
        return of(subject, Status.MANUAL, message);
    }

    public static Answer notApplicable(Subject subject, String reason) {
        return of(subject, Status.NOT_APPLICABLE, reason);
    }

    public static Answer notEvaluated(Subject subject, String reason) {
        return of(subject, Status.NOT_EVALUATED, reason);
    }

    Answer as(Severity other) {
        return new Answer(subject, status, message, Optional.of(other), claim, truth, agreement, evidence, advice);
    }

    public Answer advising(String what) {
        return new Answer(subject, status, message, severity, claim, truth, agreement, evidence, Optional.of(what));
    }

    Answer claim(String source, String text) {
        return with(Optional.of(text), truth, agreement, added(source, text));
    }

    Answer truth(String source, String text) {
        return with(claim, Optional.of(text), agreement, added(source, text));
    }

    Answer evidence(String source, String text) {
        return with(claim, truth, agreement, added(source, text));
    }

    /// True if the claim is what the kernel shows.
    Answer agreeing(boolean agree) {
        return with(claim, truth, Optional.of(agree ? Agreement.AGREE : Agreement.CONTRADICTION), evidence);
    }

    private Answer with(
            Optional<String> claimed, Optional<String> shown, Optional<Agreement> agreeing, List<Evidence> proof) {
        return new Answer(subject, status, message, severity, claimed, shown, agreeing, proof, advice);
    }

    private List<Evidence> added(String source, String text) {
        return Stream.concat(evidence.stream(), Stream.of(new Evidence(source, text, Optional.empty())))
                .toList();
    }

    /// The same answer about a subject whose name tells its host.
    public Answer below(String prefix) {
        return about(new Subject(subject.kind(), prefix + subject.name()));
    }

    /// The same answer about a subject of another name.
    public Answer about(Subject other) {
        return new Answer(other, status, message, severity, claim, truth, agreement, evidence, advice);
    }

    boolean contradicts() {
        return agreement.filter(Agreement.CONTRADICTION::equals).isPresent();
    }

    public Finding finding(Check check) {
        return new Finding(
                check,
                subject,
                status,
                severity.orElse(check.severity()),
                Excerpt.of(message),
                claim.map(Excerpt::of),
                truth.map(Excerpt::of),
                agreement.orElse(
                        truth.isPresent()
                                ? claim.isPresent() ? Agreement.AGREE : Agreement.TRUTH_ONLY
                                : Agreement.CLAIM_ONLY),
                evidence.stream()
                        .map(proof -> new Evidence(proof.source(), Excerpt.of(proof.text()), proof.location()))
                        .toList(),
                Optional.empty(),
                status == Status.PASS ? "" : advice.orElse(check.fix()),
                "",
                Optional.empty(),
                false);
    }
}
