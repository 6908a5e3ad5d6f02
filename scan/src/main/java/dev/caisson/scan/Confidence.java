package dev.caisson.scan;

import java.util.Locale;

/// How sure it is that a finding is a secret somebody can use, from least to most.
public enum Confidence {
    /// It has the form, and something says that it is of no use: it has expired, or stands in a test.
    UNLIKELY,
    /// A random value under a name of secrets, or a form that other things have too.
    POSSIBLE,
    /// A form that one issuer has published and hardly anything else has.
    LIKELY,
    /// Check digits are right, or a key parses.
    CERTAIN;

    /// Returns a word such as `likely`.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    boolean above(Confidence other) {
        return compareTo(other) > 0;
    }
}
