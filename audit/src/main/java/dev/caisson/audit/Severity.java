package dev.caisson.audit;

import java.util.Locale;
import java.util.Optional;

/// How much a finding matters, from least to most.
public enum Severity {
    INFO,
    LOW,
    MEDIUM,
    HIGH,
    CRITICAL;

    /// Returns a word such as `high`.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The severity of that name, in any case.
    public static Optional<Severity> of(String word) {
        for (Severity severity : values()) {
            if (severity.name().equalsIgnoreCase(word)) {
                return Optional.of(severity);
            }
        }
        return Optional.empty();
    }

    public boolean atLeast(Severity other) {
        return compareTo(other) >= 0;
    }
}
