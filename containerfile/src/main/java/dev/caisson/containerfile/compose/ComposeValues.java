package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Reads values of a compose file that stand in many places: a list or one of it, a path.
public final class ComposeValues {
    private ComposeValues() {}

    /// The scalars of a value that is one, or a list of them; others are left out.
    public static List<YamlScalar> scalars(Optional<YamlNode> node) {
        return node.stream()
                .flatMap(value -> value instanceof YamlSeq seq ? seq.items().stream() : List.of(value).stream())
                .filter(YamlScalar.class::isInstance)
                .map(YamlScalar.class::cast)
                .toList();
    }

    /// The path that a value names from a directory.
    /// @throws ContainerFileException `COMPOSE_VALUE` for text that is no path
    public static Path path(Path directory, YamlScalar scalar) {
        try {
            return directory.resolve(scalar.value()).normalize();
        } catch (InvalidPathException e) {
            throw new ContainerFileException(
                    FileError.COMPOSE_VALUE, scalar.place(), "This is no path: " + e.getReason() + ".");
        }
    }

    /// The directory that holds a file.
    public static Path parent(Path file) {
        Path parent = file.toAbsolutePath().normalize().getParent();
        return parent == null ? file.toAbsolutePath().getRoot() : parent;
    }

    /// The error for a node of a form that compose does not take.
    public static ContainerFileException shape(YamlNode node, String message) {
        return new ContainerFileException(FileError.COMPOSE_SHAPE, node.place(), message);
    }
}
