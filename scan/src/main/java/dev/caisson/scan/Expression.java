package dev.caisson.scan;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// A rule with what it takes to find it.
/// @param keywords in lower case; one of them is in whatever the rule finds. Empty for a rule that is tried everywhere
/// @param pattern finds the secret; compiled at its first use
/// @param group of the pattern that is the secret; 0 for the first that matched, or all
/// @param entropy bits a character that the secret has at least
/// @param anchored if every match begins with a keyword
/// @param assignment what stands behind the keyword, if it is known to be one
/// @param run of characters that every match has, if there is a long one
/// @param path of the files that the rule is for
/// @param own if the rule is one of ours, whose matches hold a keyword
record Expression(
        LeakRule rule,
        List<String> keywords,
        LazyPattern pattern,
        int group,
        double entropy,
        boolean anchored,
        Optional<Assignment> assignment,
        Optional<Run> run,
        Verification verification,
        Optional<Pattern> path,
        List<Allowance> allowances,
        boolean own) {
    /// True if the rule is for a file of that name.
    boolean isFor(String source) {
        return path.isEmpty() || path.get().matcher(source).find();
    }
}
