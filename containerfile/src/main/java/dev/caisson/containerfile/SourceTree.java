package dev.caisson.containerfile;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The files that an audit reads, each of them once. A file below the root is named by its path from there, so that
/// results do not depend on where the root lies.
public final class SourceTree {
    private final Path root;
    private final Optional<Path> hostRoot;
    private final Map<Path, Source> read = new HashMap<>();

    public SourceTree(Path root) {
        this.root = root.toAbsolutePath().normalize();
        this.hostRoot = Optional.empty();
    }

    private SourceTree(Optional<Path> hostRoot, Path root) {
        this.root = root;
        this.hostRoot = hostRoot;
    }

    /// The files of another host, whose root directory is mounted at `root`: absolute paths, links and `..` stay below
    /// it.
    public static SourceTree ofHost(Path root) {
        Path absolute = root.toAbsolutePath().normalize();
        return new SourceTree(Optional.of(absolute), absolute);
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
            known = Source.of(name(file), RegularFile.read(name(file), file, hostRoot, Source.MAX_BYTES));
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
        return read.containsKey(file) || RegularFile.isRegular(file, hostRoot);
    }

    public boolean exists(Path path) {
        Path file = resolve(path);
        return read.containsKey(file) || RegularFile.exists(file, hostRoot);
    }

    /// The first characters of a file that is too large to be read; nothing where it cannot be read.
    public Source beginning(Path path, int bytes) {
        Path file = resolve(path);
        return Source.of(name(file), RegularFile.beginning(file, hostRoot, bytes));
    }

    /// How a path is called in results.
    public String name(Path path) {
        Path file = resolve(path);
        return (file.startsWith(root) ? root.relativize(file) : file).toString();
    }

    private Path resolve(Path path) {
        Path file = root.resolve(path).normalize();
        if (hostRoot.isEmpty() || file.startsWith(root)) {
            return file;
        }
        Path below = file.subpath(0, file.getNameCount());
        return root.resolve(below).normalize();
    }
}
