package dev.caisson.containerfile;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// The files that an audit reads, each of them once. A file below the root is named by its path from there, so that
/// results do not depend on where the root lies.
public final class SourceTree {
    private final Path root;
    private final Map<Path, Source> read = new HashMap<>();

    public SourceTree(Path root) {
        this.root = root.toAbsolutePath().normalize();
    }

    public Path root() {
        return root;
    }

    /// Reads a file, relative to the root or absolute.
    /// @throws ContainerFileException if it cannot be read
    public Source read(Path path) {
        Path file = resolve(path);
        Source known = read.get(file);
        if (known == null) {
            known = Source.read(name(file), file);
            read.put(file, known);
        }
        return known;
    }

    /// Puts a text in the place of a file: standard input, or an edited file.
    public void put(Path path, Source source) {
        read.put(resolve(path), source);
    }

    public boolean isFile(Path path) {
        Path file = resolve(path);
        return read.containsKey(file) || Files.isRegularFile(file);
    }

    public boolean exists(Path path) {
        Path file = resolve(path);
        return read.containsKey(file) || Files.exists(file);
    }

    /// How a path is called in results: with `/` between its parts.
    public String name(Path path) {
        Path file = resolve(path);
        return (file.startsWith(root) ? root.relativize(file) : file).toString().replace('\\', '/');
    }

    private Path resolve(Path path) {
        return root.resolve(path).normalize();
    }
}
