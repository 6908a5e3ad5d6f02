package dev.caisson.scan;

/// A stretch of a passage that a rule matched and that was judged to be a secret.
/// @param from where the secret starts
/// @param to where it ends
/// @param known the name of the known value that it is; empty if it is none
record Candidate(LeakRule rule, boolean named, int from, int to, String value, Judgement judgement, String known) {
    Candidate(LeakRule rule, boolean named, int from, int to, String value, Judgement judgement) {
        this(rule, named, from, to, value, judgement, "");
    }

    /// Returns a candidate for a value that is known and that no rule has found.
    static Candidate known(String name, String form, int from, int to) {
        var judgement = new Judgement(Confidence.CERTAIN, "it is the stored secret " + name + ", " + form);
        return new Candidate(RuleSet.STORED, false, from, to, "", judgement, name);
    }

    /// Returns it as being a known value.
    Candidate as(Candidate other) {
        return new Candidate(
                rule, named, from, to, value, new Judgement(Confidence.CERTAIN, other.judgement.reason()), other.known);
    }

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
