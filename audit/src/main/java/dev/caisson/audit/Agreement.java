package dev.caisson.audit;

import java.util.Locale;

/// Compares a claim, by a file or an engine, with what the kernel enforces.
public enum Agreement {
    AGREE,
    /// Only the claim is known, as for a file that nothing runs from.
    CLAIM_ONLY,
    TRUTH_ONLY,
    CONTRADICTION;

    /// Returns a word such as `claim-only`.
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
