package dev.caisson.audit;

import java.util.Locale;

/// Whether what is claimed, by a file or an engine, is what the kernel enforces.
public enum Agreement {
    AGREE,
    /// Only the claim is known, as for a file that nothing runs from.
    CLAIM_ONLY,
    TRUTH_ONLY,
    CONTRADICTION;

    /// As `claim-only`.
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
