package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import java.util.List;
import java.util.Optional;

/// An objection of a rule to a subject. A rule without one gives no verdict, and the check passes.
/// @param message what is so, in one sentence without a full stop
/// @param place the text that decided it
/// @param severity where it differs from the check's own
/// @param shown the text that is shown as evidence, without secrets
/// @param fix how the file can be changed
record Verdict(
        Status status,
        String message,
        Place place,
        Optional<Severity> severity,
        Optional<String> shown,
        Optional<Fix> fix) {
    static Verdict fail(Place place, String message) {
        return new Verdict(Status.FAIL, message, place, Optional.empty(), Optional.empty(), Optional.empty());
    }

    static Verdict unknown(Place place, String message) {
        return new Verdict(Status.NOT_EVALUATED, message, place, Optional.empty(), Optional.empty(), Optional.empty());
    }

    static Verdict notApplicable(Place place, String message) {
        return new Verdict(Status.NOT_APPLICABLE, message, place, Optional.empty(), Optional.empty(), Optional.empty());
    }

    Verdict as(Severity other) {
        return new Verdict(status, message, place, Optional.of(other), shown, fix);
    }

    /// Shows this text in the place of the file's own, which holds a secret.
    Verdict showing(String text) {
        return new Verdict(status, message, place, severity, Optional.of(text), fix);
    }

    Verdict with(Fix proposed) {
        return new Verdict(status, message, place, severity, shown, Optional.of(proposed));
    }

    static List<Verdict> none() {
        return List.of();
    }
}
