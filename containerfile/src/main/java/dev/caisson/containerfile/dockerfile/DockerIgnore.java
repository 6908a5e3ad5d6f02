package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/// The patterns of a `.dockerignore`: which paths of the build context the builder never sees. The last pattern that
/// matches decides; `!` takes a path in again; `**` spans directories.
public final class DockerIgnore {
    /// Each is compared with every path of a context.
    private static final int MOST_RULES = 4_096;
    /// A path is no longer.
    private static final int LONGEST = 4_096;
    private static final IntPredicate IN_NAME = c -> c != '/';

    private record Rule(Wildcards pattern, boolean excludes) {}

    private final List<Rule> rules;

    private DockerIgnore(List<Rule> rules) {
        this.rules = rules;
    }

    /// Reads the patterns of a file.
    /// @throws ContainerFileException FILE_TOO_LARGE if it has more than 4,096 patterns, or one of more than 4,096
    ///     characters
    public static DockerIgnore parse(Source source) {
        List<Rule> rules = new ArrayList<>();
        for (int line = 1; line <= source.lineCount(); line++) {
            String text = source.lineText(line).strip();
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            boolean excludes = !text.startsWith("!");
            String pattern = clean(excludes ? text : text.substring(1).strip());
            if (!pattern.isEmpty()) {
                if (pattern.length() > LONGEST || rules.size() == MOST_RULES) {
                    throw new ContainerFileException(
                            FileError.FILE_TOO_LARGE,
                            source.place(source.lineStart(line), source.lineEnd(line)),
                            source.name() + " has more than " + MOST_RULES + " patterns, or one of more than " + LONGEST
                                    + " characters.");
                }
                rules.add(new Rule(wildcards(pattern), excludes));
            }
        }
        return new DockerIgnore(List.copyOf(rules));
    }

    /// True if a path, with `/` between its parts, is kept out of the context, itself or by a directory above it.
    public boolean excludes(String path) {
        boolean excluded = false;
        for (Rule rule : rules) {
            if (rule.pattern().matchesOrAbove(path)) {
                excluded = rule.excludes();
            }
        }
        return excluded;
    }

    /// Returns whether a pattern takes something in again, which may stand below a directory that is kept out.
    public boolean hasExceptions() {
        return rules.stream().anyMatch(rule -> !rule.excludes());
    }

    private static String clean(String pattern) {
        String path = pattern;
        while (path.startsWith("./") || path.startsWith("/")) {
            path = path.substring(path.indexOf('/') + 1);
        }
        while (path.endsWith("/")) {
            path = path.substring(0, path.length() - 1);
        }
        return path.equals(".") ? "" : path;
    }

    private static Wildcards wildcards(String pattern) {
        var wildcards = new Wildcards.Builder();
        int at = 0;
        while (at < pattern.length()) {
            int c = pattern.codePointAt(at);
            int close = c == '[' ? pattern.indexOf(']', at + 2) : -1;
            if (pattern.startsWith("**/", at)) {
                wildcards.directories();
                at += 3;
            } else if (pattern.startsWith("**", at)) {
                wildcards.many();
                at += 2;
            } else if (close > 0) {
                wildcards.one(IN_NAME.and(Wildcards.characters(pattern.substring(at + 1, close))));
                at = close + 1;
            } else {
                switch (c) {
                    case '*' -> wildcards.many(IN_NAME);
                    case '?' -> wildcards.one(IN_NAME);
                    default -> wildcards.literal(c);
                }
                at += Character.charCount(c);
            }
        }
        return wildcards.build();
    }
}
