package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.build.EffectiveImage;
import dev.caisson.containerfile.build.ImageBuild;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.compose.ComposeService;
import dev.caisson.containerfile.compose.ComposeValues;
import dev.caisson.containerfile.compose.EnvFile;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.workload.Workload.Variable;
import dev.caisson.containerfile.yaml.Scalars;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads what a service takes from files beside the compose file: the image that its Dockerfile makes, and the
/// variables of its environment files.
final class ComposeBuilds {
    private final ComposeProject project;
    private final SourceTree tree;
    private final BaseImages images;

    ComposeBuilds(ComposeProject project, SourceTree tree, BaseImages images) {
        this.project = project;
        this.tree = tree;
        this.images = images;
    }

    /// The image of a service with a `build` whose Dockerfile is here. A Dockerfile that does not parse is told when it
    /// is audited itself; here it counts as absent.
    Optional<EffectiveImage> image(ComposeService service) {
        Optional<YamlMap> build = service.body().map("build");
        if (build.isEmpty()) {
            return Optional.empty();
        }
        try {
            return dockerfile(build.get()).map(source -> {
                ImageBuild built = ImageBuild.of(Dockerfile.parse(source), arguments(build.get()), images);
                Stage stage = build.get()
                        .scalar("target")
                        .flatMap(target -> built.stage(target.value()))
                        .orElse(built.finalStage());
                return built.effective(stage);
            });
        } catch (ContainerFileException e) {
            return Optional.empty();
        }
    }

    private Optional<Source> dockerfile(YamlMap build) {
        Optional<YamlScalar> inline = build.scalar("dockerfile_inline");
        if (inline.isPresent()) {
            return Optional.of(Source.of(
                    inline.get().place() + " dockerfile_inline", inline.get().value()));
        }
        YamlScalar context = build.scalar("context").orElse(new YamlScalar(build.place(), "", ".", true));
        Path directory = ComposeValues.path(project.base(context.place()), context);
        Path file = build.scalar("dockerfile")
                .map(name -> ComposeValues.path(directory, name))
                .orElse(directory.resolve("Dockerfile"));
        return tree.isFile(file) ? Optional.of(tree.read(file)) : Optional.empty();
    }

    private static Map<String, String> arguments(YamlMap build) {
        Map<String, String> arguments = new HashMap<>();
        ComposeWorkloads.pairs(build, "args")
                .forEach(argument -> argument.value().ifPresent(value -> arguments.put(argument.name(), value)));
        return arguments;
    }

    private record EnvironmentFile(Path path, boolean raw) {}

    /// `environment` over the variables of `env_file`, later files over earlier ones.
    List<Variable> environment(ComposeService service) {
        Map<String, Variable> variables = new LinkedHashMap<>();
        for (EnvironmentFile file : environmentFiles(service.body())) {
            Source source = tree.read(file.path());
            (file.raw() ? EnvFile.raw(source) : EnvFile.parse(source, name -> null))
                    .forEach((name, value) -> variables.put(
                            name,
                            new Variable(
                                    name,
                                    Optional.of(value.value()),
                                    false,
                                    Optional.of(source.name()),
                                    value.place())));
        }
        ComposeWorkloads.pairs(service.body(), "environment").forEach(variable -> {
            variables.remove(variable.name());
            variables.put(variable.name(), variable);
        });
        return List.copyOf(variables.values());
    }

    /// Those that are here. One that is missing is often made only where the project runs.
    private List<EnvironmentFile> environmentFiles(YamlMap body) {
        List<EnvironmentFile> files = new ArrayList<>();
        for (YamlNode item : body.seq("env_file").map(YamlSeq::items).orElse(List.of())) {
            Optional<YamlScalar> path = item instanceof YamlMap map
                    ? map.scalar("path")
                    : ComposeValues.scalars(Optional.of(item)).stream().findFirst();
            boolean raw =
                    item instanceof YamlMap map && Scalars.plain(map, "format").equals("raw");
            path.filter(name -> name.unset().isEmpty())
                    .map(name -> ComposeValues.path(project.base(name.place()), name))
                    .filter(tree::isFile)
                    .ifPresent(file -> files.add(new EnvironmentFile(file, raw)));
        }
        return files;
    }
}
