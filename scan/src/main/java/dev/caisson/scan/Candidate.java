package dev.caisson.scan;

/// A stretch of a passage that a rule matched and that was judged to be a secret.
/// @param from where the secret starts
/// @param to where it ends
record Candidate(LeakRule rule, boolean named, int from, int to, String value, Judgement judgement) {
    boolean overlaps(Candidate other) {
        return from < other.to && other.from < to;
    }

    /// True if this one says more of the same text than the other.
    boolean tellsMoreThan(Candidate other) {
        if (named != other.named) {
            return !named;
        }
        int sure = judgement.confidence().compareTo(other.judgement.confidence());
        return sure != 0 ? sure > 0 : to - from > other.to - other.from;
    }
}
