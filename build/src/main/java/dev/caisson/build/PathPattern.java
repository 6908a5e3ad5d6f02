package dev.caisson.build;

import dev.caisson.containerfile.dockerfile.Wildcards;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// A path with wildcards as Go's `filepath.Match` reads them, component by component, and `**` for any number of
/// components.
final class PathPattern {
    private static final String ANY = "**";

    private final List<String> parts;
    /// Patterns with several `**` come to one directory in many ways.
    private final Set<Visit> visits = new HashSet<>();

    private record Visit(String path, int depth) {}

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
        if (!visits.add(new Visit(at.path(), depth))) {
            return;
        }
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
        Wildcards wildcards = wildcards(part);
        for (FileTree.Node child : tree.list(directory)) {
            if (wildcards.matches(child.last())) {
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
    private static Wildcards wildcards(String part) {
        var wildcards = new Wildcards.Builder();
        int at = 0;
        while (at < part.length()) {
            int c = part.codePointAt(at);
            int close = c == '[' ? part.indexOf(']', at + 2) : -1;
            if (close > 0) {
                wildcards.one(Wildcards.characters(part.substring(at + 1, close)));
                at = close + 1;
                continue;
            }
            if (c == '\\' && at + 1 < part.length()) {
                at++;
                c = part.codePointAt(at);
                wildcards.literal(c);
            } else {
                switch (c) {
                    case '*' -> wildcards.many();
                    case '?' -> wildcards.one();
                    default -> wildcards.literal(c);
                }
            }
            at += Character.charCount(c);
        }
        return wildcards.build();
    }
}
