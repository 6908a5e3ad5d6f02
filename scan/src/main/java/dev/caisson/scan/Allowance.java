package dev.caisson.scan;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Values, lines and files that a file of rules says are no secrets.
/// @param all if every kind that is named must apply, else any one
record Allowance(List<Pattern> paths, List<Pattern> expressions, Target target, List<String> stopWords, boolean all) {
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

    boolean allowsPath(String path) {
        return paths.stream().anyMatch(pattern -> pattern.matcher(path).find());
    }

    boolean allows(String path, String secret, String match, String line) {
        boolean byPath = allowsPath(path);
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
        return all
                ? (paths.isEmpty() || byPath) && (expressions.isEmpty() || byText) && (stopWords.isEmpty() || byWord)
                : byPath || byText || byWord;
    }
}
