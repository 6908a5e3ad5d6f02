package dev.caisson.audit;

import java.util.Locale;

/// The outcome of a check for a subject.
public enum Status {
    PASS,
    FAIL,
    /// The question makes no sense here, as SELinux on a kernel without it.
    NOT_APPLICABLE,
    /// The facts could not be had; the reason is told.
    NOT_EVALUATED,
    /// A person has to judge by the evidence.
    MANUAL,
    /// It fails, and a waiver tolerates that until a day.
    WAIVED;

    /// Returns a word such as `not-applicable`.
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
