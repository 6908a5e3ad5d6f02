package dev.caisson.audit;

import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.ImageReference;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.build.Base;
import dev.caisson.containerfile.build.Step;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.LogicalText;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.ShellScript;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Tells whether the program of a health check can be in the image at all, for bases whose contents are well known.
final class HealthTools {
    private static final Set<String> TOOLS =
            Set.of("curl", "wget", "nc", "ncat", "netcat", "bash", "python", "python3", "node");
    private static final Set<String> BUSYBOX_LACKS =
            Set.of("curl", "bash", "python", "python3", "node", "ncat", "netcat");
    private static final Set<String> DEBIAN_LACKS =
            Set.of("curl", "wget", "nc", "ncat", "netcat", "python", "python3", "node");
    private static final Set<String> SLIM_LACKS = Set.of("curl", "wget", "nc", "ncat", "netcat");
    private static final Set<String> ALPINE_LACKS = Set.of("curl", "bash", "ncat", "netcat");
    private static final Set<String> LANGUAGES =
            Set.of("python", "node", "ruby", "golang", "php", "openjdk", "eclipse-temurin", "perl", "rust");
    private static final Map<String, Set<String>> LACKS =
            Map.of("alpine", BUSYBOX_LACKS, "busybox", BUSYBOX_LACKS, "debian", DEBIAN_LACKS, "ubuntu", DEBIAN_LACKS);

    private HealthTools() {}

    static List<Verdict> judge(DockerfileUnit unit) {
        Optional<Setting<HealthCheck>> health = unit.image().health();
        if (health.isEmpty()) {
            return Verdict.none();
        }
        boolean shell = health.get().value() instanceof HealthCheck.ShellForm;
        Optional<String> tool = program(health.get().value());
        if (tool.isEmpty()) {
            return Verdict.none();
        }
        String base = baseName(unit.image().root());
        if (isBare(unit.image().root()) && !isCopied(unit, shell ? "sh" : tool.get())) {
            String missing = shell ? "a shell" : tool.get();
            return List.of(Verdict.fail(
                    health.get().place(), "the health check needs " + missing + ", which " + base + " lacks"));
        }
        if (lacks(unit.image().root()).contains(tool.get()) && !isInstalled(unit, tool.get())) {
            return List.of(Verdict.fail(
                    health.get().place(),
                    "the health check needs " + tool.get() + ", which " + base + " lacks and no step installs"));
        }
        return Verdict.none();
    }

    private static Optional<String> program(HealthCheck check) {
        return switch (check) {
            case HealthCheck.ExecForm exec -> exec.words().stream().findFirst().map(HealthTools::fileName);
            case HealthCheck.ShellForm shell -> {
                Source source = Source.of("HEALTHCHECK", shell.command());
                yield ShellScript.commands(LogicalText.of(source, 0, source.length())).stream()
                        .map(ShellCommand::name)
                        .filter(TOOLS::contains)
                        .findFirst()
                        .or(() -> Optional.of("sh"));
            }
            case HealthCheck.None none -> Optional.empty();
            case HealthCheck.Probe probe -> Optional.empty();
        };
    }

    /// Images without a shell or any tool.
    private static boolean isBare(Base root) {
        return switch (root) {
            case Base.Scratch scratch -> true;
            case Base.Image image ->
                image.reference().repository().startsWith("distroless/")
                        && !image.reference().tag().orElse("").contains("debug");
            case Base.Earlier earlier -> false;
            case Base.Unknown unknown -> false;
        };
    }

    private static Set<String> lacks(Base root) {
        if (!(root instanceof Base.Image image)
                || !image.reference().repository().startsWith("library/")) {
            return Set.of();
        }
        ImageReference reference = image.reference();
        String tag = reference.tag().orElse("").toLowerCase(Locale.ROOT);
        if (LANGUAGES.contains(reference.shortName())) {
            return tag.contains("alpine") ? ALPINE_LACKS : tag.contains("slim") ? SLIM_LACKS : Set.of();
        }
        return LACKS.getOrDefault(reference.shortName(), Set.of());
    }

    private static boolean isInstalled(DockerfileUnit unit, String tool) {
        String stem = tool.equals("ncat") || tool.equals("nc") ? "netcat" : tool;
        for (Step step : unit.image().steps(Keyword.RUN)) {
            if (step.instruction().arguments().text().contains(stem)
                    || step.instruction().heredocs().stream()
                            .anyMatch(heredoc -> heredoc.body().text().contains(stem))) {
                return true;
            }
        }
        return isCopied(unit, tool);
    }

    /// True if a file of that name, or a directory of programs, is copied in.
    private static boolean isCopied(DockerfileUnit unit, String tool) {
        return unit.image().steps().stream()
                        .filter(step -> step.instruction().keyword() == Keyword.COPY
                                || step.instruction().keyword() == Keyword.ADD)
                        .flatMap(step -> step.words().stream())
                        .map(word -> word.value())
                        .anyMatch(path -> fileName(path).equals(tool)
                                || path.matches("/?(?:usr/)?(?:local/)?s?bin/?")
                                || path.equals("/"))
                || (!TOOLS.contains(tool) && !tool.equals("sh"));
    }

    private static String baseName(Base root) {
        return root instanceof Base.Image image ? image.reference().toString() : "scratch";
    }

    private static String fileName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
