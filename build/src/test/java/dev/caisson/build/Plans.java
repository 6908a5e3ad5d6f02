package dev.caisson.build;

import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Plans of Dockerfiles in memory.
final class Plans {
    private Plans() {}

    static StageGraph graph(Map<String, String> given, Optional<String> target, String... lines) {
        String text = String.join("\n", lines) + "\n";
        return StageGraph.of(Dockerfile.parse(Source.of("Dockerfile", text)), given, target, StageGraph.Platforms.OWN);
    }

    /// Plans the last stage, on a base with this configuration.
    static List<BuildStep> steps(Settings base, Map<String, String> given, String... lines) {
        StageGraph graph = graph(given, Optional.empty(), lines);
        return new StagePlanner(graph, graph.target(), base).plan();
    }

    static List<BuildStep> steps(String... lines) {
        return steps(Settings.scratch(), Map.of(), lines);
    }

    /// The configuration that the last stage ends with.
    static Settings settings(String... lines) {
        return steps(lines).getLast().after();
    }

    static Operation last(String... lines) {
        return steps(lines).getLast().operation();
    }

    static Operation.Run run(String... lines) {
        return (Operation.Run) last(lines);
    }

    static Operation.Copy copy(String... lines) {
        return (Operation.Copy) last(lines);
    }
}
