package dev.caisson.build;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// A path with wildcards as Go's `filepath.Match` reads them, component by component, and `**` for any number of
/// components.
final class PathPattern {
    private static final String ANY = "**";

    private final List<String> parts;

    private PathPattern(List<String> parts) {
        this.parts = parts;
    }

    static boolean isPattern(String path) {
        return path.indexOf('*') >= 0 || path.indexOf('?') >= 0 || path.indexOf('[') >= 0;
    }

    /// Finds what the pattern names, in the order of names. Links on the way are followed within the tree.
    /// @param path absolute
    static List<FileTree.Node> find(FileTree tree, String path) {
        var parts = new ArrayList<String>();
        for (String part : path.split("/", -1)) {
            boolean again =
                    part.equals(ANY) && !parts.isEmpty() && parts.getLast().equals(ANY);
            if (!part.isEmpty() && !again) {
                parts.add(part);
            }
        }
        var found = new ArrayList<FileTree.Node>();
        new PathPattern(parts).walk(tree, tree.root(), 0, found);
        return found;
    }

    private void walk(FileTree tree, FileTree.Node at, int depth, List<FileTree.Node> found) {
        if (depth == parts.size()) {
            found.add(at);
            return;
        }
        String part = parts.get(depth);
        if (part.equals(ANY)) {
            walk(tree, at, depth + 1, found);
            if (at.status().isDirectory()) {
                tree.list(at).stream()
                        .filter(child -> child.status().isDirectory() || depth == parts.size() - 1)
                        .forEach(child -> walk(tree, child, depth, found));
            }
            return;
        }
        FileTree.Node directory = depth == 0 ? at : followed(tree, at);
        if (!directory.status().isDirectory()) {
            return;
        }
        if (!isPattern(part)) {
            FileTree.Resolved resolved = tree.resolve("/" + FileTree.join(directory.path(), part));
            tree.status(FileTree.join(directory.path(), part))
                    .ifPresent(status -> walk(
                            tree,
                            depth + 1 < parts.size() && resolved.node().isPresent()
                                    ? resolved.node().get()
                                    : directory.below(part, status),
                            depth + 1,
                            found));
            return;
        }
        Pattern matcher = regex(part);
        for (FileTree.Node child : tree.list(directory)) {
            if (matcher.matcher(child.last()).matches()) {
                walk(tree, child, depth + 1, found);
            }
        }
    }

    private static FileTree.Node followed(FileTree tree, FileTree.Node at) {
        return at.status().isSymbolicLink()
                ? tree.resolve("/" + at.path()).node().orElse(at)
                : at;
    }

    /// Go's `*`, `?`, `[a-z]`, `[^a-z]` and `\` within one component.
    private static Pattern regex(String part) {
        var regex = new StringBuilder();
        int at = 0;
        while (at < part.length()) {
            char c = part.charAt(at);
            int close = c == '[' ? part.indexOf(']', at + 2) : -1;
            if (close > 0) {
                regex.append(characters(part.substring(at + 1, close)));
                at = close + 1;
                continue;
            }
            if (c == '\\' && at + 1 < part.length()) {
                at++;
                c = part.charAt(at);
                regex.append(Pattern.quote(String.valueOf(c)));
            } else if (c == '*') {
                regex.append(regex.toString().endsWith(".*") ? "" : ".*");
            } else {
                regex.append(c == '?' ? "." : Pattern.quote(String.valueOf(c)));
            }
            at++;
        }
        try {
            return Pattern.compile(regex.toString(), Pattern.DOTALL);
        } catch (PatternSyntaxException e) {
            throw new BuildException("BUILD_PATTERN", null, "the pattern " + part + " is none: mend its brackets", e);
        }
    }

    private static String characters(String inside) {
        boolean negated = inside.startsWith("^");
        var regex = new StringBuilder(negated ? "[^" : "[");
        for (int at = negated ? 1 : 0; at < inside.length(); at++) {
            char c = inside.charAt(at);
            regex.append(Character.isLetterOrDigit(c) || c == '-' ? "" : "\\").append(c);
        }
        return regex.append(']').toString();
    }
}
