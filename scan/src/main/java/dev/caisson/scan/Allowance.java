package dev.caisson.scan;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Values, lines, files and commits that a file of rules says are no secrets.
/// @param commits the first twelve digits of each
/// @param targets ids of the rules that it is for; empty for all
/// @param all if every kind that is named must apply, else any one
record Allowance(
        List<Pattern> paths,
        List<Pattern> expressions,
        Target target,
        List<String> stopWords,
        List<String> commits,
        List<String> targets,
        boolean all) {
    /// The end of the place of a finding in a history.
    private static final Pattern COMMIT = Pattern.compile("@([0-9a-f]{12})$");

    /// The longest part of a line that is looked at, on either side of a match.
    private static final int LINE = 4096;

    /// The text that expressions are compared with.
    enum Target {
        SECRET,
        MATCH,
        LINE
    }

    Allowance {
        stopWords =
                stopWords.stream().map(word -> word.toLowerCase(Locale.ROOT)).toList();
    }

    /// True if files of that name need not be read at all.
    boolean leavesOut(String path) {
        return !all && targets.isEmpty() && isPath(path);
    }

    boolean allows(LeakRule rule, String path, String secret, String match, String line) {
        if (!targets.isEmpty() && !targets.contains(rule.id())) {
            return false;
        }
        boolean byPath = isPath(path);
        CharSequence text = new BoundedText(
                switch (target) {
                    case SECRET -> secret;
                    case MATCH -> match;
                    case LINE -> line;
                });
        boolean byText =
                expressions.stream().anyMatch(pattern -> pattern.matcher(text).find());
        String lower = secret.toLowerCase(Locale.ROOT);
        boolean byWord = stopWords.stream().anyMatch(lower::contains);
        Matcher commit = COMMIT.matcher(path);
        boolean byCommit = commit.find() && commits.contains(commit.group(1));
        if (!all) {
            return byPath || byText || byWord || byCommit;
        }
        boolean named = !(paths.isEmpty() && expressions.isEmpty() && stopWords.isEmpty() && commits.isEmpty());
        return named
                && (paths.isEmpty() || byPath)
                && (expressions.isEmpty() || byText)
                && (stopWords.isEmpty() || byWord)
                && (commits.isEmpty() || byCommit);
    }

    /// Returns the line around a match, or of a long one what is near.
    static String line(String all, int from, int to) {
        int start = from;
        while (start > Math.max(0, from - LINE) && all.charAt(start - 1) != '\n') {
            start--;
        }
        int end = to;
        while (end < Math.min(all.length(), to + LINE) && all.charAt(end) != '\n') {
            end++;
        }
        return all.substring(start, end);
    }

    private boolean isPath(String path) {
        return paths.stream().anyMatch(pattern -> pattern.matcher(path).find());
    }
}
