package dev.caisson.hostaudit;

import dev.caisson.audit.Agreement;
import dev.caisson.audit.Check;
import dev.caisson.audit.Evidence;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Severity;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a check came to for one subject.
///
/// @param severity where it differs from the check's own
/// @param claim what engine or file says
/// @param truth what the kernel shows
/// @param advice what to do, where the check's own advice does not help
record Answer(
        Subject subject,
        Status status,
        String message,
        Optional<Severity> severity,
        Optional<String> claim,
        Optional<String> truth,
        Optional<Agreement> agreement,
        List<Evidence> evidence,
        Optional<String> advice) {
    static final Subject HOST = new Subject(Subject.Kind.HOST, "this host");
    static final Subject ENGINE = new Subject(Subject.Kind.DAEMON, "dockerd");

    private static final int SHOWN = 12;
    private static final int LONGEST_ITEM = 200;
    /// A name, a command or a path may come from anybody, and stands in every finding about its subject.
    private static final int LONGEST_TEXT = 4000;

    static Subject subject(ContainerFacts container) {
        return new Subject(Subject.Kind.CONTAINER, container.name());
    }

    static Subject subject(ImageFacts image) {
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

    static Answer notApplicable(Subject subject, String reason) {
        return of(subject, Status.NOT_APPLICABLE, reason);
    }

    static Answer notEvaluated(Subject subject, String reason) {
        return of(subject, Status.NOT_EVALUATED, reason);
    }

    Answer as(Severity other) {
        return new Answer(subject, status, message, Optional.of(other), claim, truth, agreement, evidence, advice);
    }

    Answer advising(String what) {
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

    /// Whether the claim is what the kernel shows.
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
    Answer below(String prefix) {
        return about(new Subject(subject.kind(), prefix + subject.name()));
    }

    /// The same answer about a subject of another name.
    Answer about(Subject other) {
        return new Answer(other, status, message, severity, claim, truth, agreement, evidence, advice);
    }

    boolean contradicts() {
        return agreement.filter(Agreement.CONTRADICTION::equals).isPresent();
    }

    /// The first of many, and how many more there are.
    static String list(List<String> items) {
        String shown = items.stream()
                .limit(SHOWN)
                .map(item -> clipped(item, LONGEST_ITEM))
                .collect(Collectors.joining(", "));
        return items.size() > SHOWN ? shown + " and " + (items.size() - SHOWN) + " more" : shown;
    }

    /// A text of bounded length.
    static String clipped(String text) {
        return clipped(text, LONGEST_TEXT);
    }

    static String clipped(String text, int longest) {
        if (text.length() <= longest) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(longest - 1)) ? longest - 1 : longest;
        return text.substring(0, end) + "… (" + text.length() + " characters)";
    }

    Finding finding(Check check) {
        return new Finding(
                check,
                subject,
                status,
                severity.orElse(check.severity()),
                clipped(message),
                claim.map(Answer::clipped),
                truth.map(Answer::clipped),
                agreement.orElse(
                        truth.isPresent()
                                ? claim.isPresent() ? Agreement.AGREE : Agreement.TRUTH_ONLY
                                : Agreement.CLAIM_ONLY),
                evidence.stream()
                        .map(proof -> new Evidence(proof.source(), clipped(proof.text()), proof.location()))
                        .toList(),
                Optional.empty(),
                status == Status.PASS ? "" : advice.orElse(check.fix()),
                "",
                Optional.empty(),
                false);
    }
}
