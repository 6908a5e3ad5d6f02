package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// The patterns of a `.dockerignore`: which paths of the build context the builder never sees. The last pattern that
/// matches decides; `!` takes a path in again; `**` spans directories.
public final class DockerIgnore {
    private record Rule(Pattern pattern, boolean excludes) {}

    private final List<Rule> rules;

    private DockerIgnore(List<Rule> rules) {
        this.rules = rules;
    }

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
                rules.add(new Rule(regex(pattern), excludes));
            }
        }
        return new DockerIgnore(List.copyOf(rules));
    }

    /// True if a path, with `/` between its parts, is kept out of the context, itself or by a directory above it.
    public boolean excludes(String path) {
        boolean excluded = false;
        for (Rule rule : rules) {
            if (matches(rule, path)) {
                excluded = rule.excludes();
            }
        }
        return excluded;
    }

    /// Returns whether a pattern takes something in again, which may stand below a directory that is kept out.
    public boolean hasExceptions() {
        return rules.stream().anyMatch(rule -> !rule.excludes());
    }

    private static boolean matches(Rule rule, String path) {
        for (int end = path.length(); end > 0; end = path.lastIndexOf('/', end - 1)) {
            if (rule.pattern().matcher(path.substring(0, end)).matches()) {
                return true;
            }
        }
        return false;
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

    private static Pattern regex(String pattern) {
        StringBuilder regex = new StringBuilder();
        int at = 0;
        while (at < pattern.length()) {
            char c = pattern.charAt(at);
            if (pattern.startsWith("**/", at)) {
                regex.append("(?:.*/)?");
                at += 3;
            } else if (pattern.startsWith("**", at)) {
                regex.append(".*");
                at += 2;
            } else if (c == '[' && pattern.indexOf(']', at + 2) > 0) {
                int end = pattern.indexOf(']', at + 2);
                regex.append(characterClass(pattern.substring(at + 1, end)));
                at = end + 1;
            } else {
                regex.append(
                        switch (c) {
                            case '*' -> "[^/]*";
                            case '?' -> "[^/]";
                            default -> Pattern.quote(String.valueOf(c));
                        });
                at++;
            }
        }
        return Pattern.compile(regex.toString());
    }

    private static String characterClass(String inside) {
        boolean negated = inside.startsWith("^");
        StringBuilder regex = new StringBuilder(negated ? "[^/" : "[");
        for (int at = negated ? 1 : 0; at < inside.length(); at++) {
            char c = inside.charAt(at);
            boolean range =
                    c == '-' && at > 0 && at + 1 < inside.length() && inside.charAt(at - 1) <= inside.charAt(at + 1);
            regex.append(range || Character.isLetterOrDigit(c) ? "" : "\\").append(c);
        }
        return regex.append(']').toString();
    }
}
