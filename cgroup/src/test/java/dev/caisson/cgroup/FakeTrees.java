package dev.caisson.cgroup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Trees of control groups made of ordinary files.
final class FakeTrees {
    private FakeTrees() {}

    /// A hybrid host with every controller in a tree of its own below `root`.
    static Hierarchy hybrid(Path root) {
        return new Hierarchy(List.of(
                tree(root, "memory", false, Set.of("memory")),
                tree(root, "cpu,cpuacct", false, Set.of("cpu", "cpuacct")),
                tree(root, "pids", false, Set.of("pids")),
                tree(root, "unified", true, Set.of())));
    }

    static Hierarchy v2(Path root, String... controllers) {
        return new Hierarchy(List.of(tree(root, "unified", true, Set.of(controllers))));
    }

    private static Tree tree(Path root, String name, boolean unified, Set<String> controllers) {
        Path path = root.resolve(name);
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Tree.at(path, unified, controllers);
    }

    static void fill(Path directory, Map<String, String> files) throws IOException {
        Files.createDirectories(directory);
        for (var file : files.entrySet()) {
            Files.writeString(directory.resolve(file.getKey()), file.getValue());
        }
    }
}
