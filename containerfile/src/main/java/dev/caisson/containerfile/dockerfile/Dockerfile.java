package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Directive;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import java.util.List;
import java.util.Optional;

/// A parsed Dockerfile: every line of it, in order. What it builds is told by `ImageBuild`.
/// @param escape the character that continues a line and quotes the next character: `\` or `` ` ``
public record Dockerfile(Source source, char escape, List<DockerfileNode> nodes) {
    /// Parses a Dockerfile as BuildKit's `docker/dockerfile` frontend does.
    /// @throws dev.caisson.containerfile.ContainerFileException with the place of what no builder would take
    public static Dockerfile parse(Source source) {
        return new DockerfileParser(source).parse();
    }

    /// The instructions in order.
    public List<Instruction> instructions() {
        return nodes.stream()
                .filter(Instruction.class::isInstance)
                .map(Instruction.class::cast)
                .toList();
    }

    /// The parser directive of that name.
    public Optional<Directive> directive(String name) {
        return nodes.stream()
                .filter(Directive.class::isInstance)
                .map(Directive.class::cast)
                .filter(directive -> directive.name().equals(name))
                .findFirst();
    }

    /// The text of all nodes, one after the other: the file.
    public String render() {
        StringBuilder text = new StringBuilder(source.length());
        nodes.forEach(node -> text.append(node.extent().text()));
        return text.toString();
    }
}
