package dev.caisson.audit;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.build.EffectiveImage;
import dev.caisson.containerfile.build.ImageBuild;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.build.Step;
import dev.caisson.containerfile.dockerfile.DockerIgnore;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.Word;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/// A Dockerfile with what rules ask of it: its final image, the stages that it needs, and the files beside it.
/// @param needed the final stage and those that its build needs; BuildKit leaves the others out
/// @param steps the instructions of each needed stage, and after each `ONBUILD` what it holds
/// @param ignore the context's `.dockerignore`
/// @param hasGit whether `.git` or `.env` lie beside the Dockerfile
record DockerfileUnit(
        Dockerfile file,
        ImageBuild build,
        EffectiveImage image,
        List<Stage> needed,
        List<Step> steps,
        IdentityHashMap<Step, List<ShellCommand>> commands,
        Optional<DockerIgnore> ignore,
        boolean hasGit) {
    static DockerfileUnit of(Source source, Optional<Path> path, SourceTree tree, BaseImages images) {
        Dockerfile file = Dockerfile.parse(source);
        ImageBuild build = ImageBuild.of(file, Map.of(), images);
        EffectiveImage image = build.effective(build.finalStage());
        List<Stage> needed = build.reachable(build.finalStage());
        List<Step> steps = new ArrayList<>();
        IdentityHashMap<Step, List<ShellCommand>> commands = new IdentityHashMap<>();
        for (Stage stage : needed) {
            for (Step step : build.effective(stage).steps()) {
                if (step.stage().equals(stage)) {
                    steps.add(step);
                    step.trigger().ifPresent(steps::add);
                }
            }
        }
        steps.stream()
                .filter(step -> step.instruction().keyword() == Keyword.RUN)
                .forEach(step -> commands.put(step, step.commands()));
        Optional<Path> directory = path.map(Path::getParent);
        return new DockerfileUnit(
                file,
                build,
                image,
                needed,
                steps,
                commands,
                path.flatMap(name -> ignore(name, tree)),
                directory
                        .filter(here -> tree.exists(here.resolve(".git")) || tree.exists(here.resolve(".env")))
                        .isPresent());
    }

    private static Optional<DockerIgnore> ignore(Path dockerfile, SourceTree tree) {
        Path own = dockerfile.resolveSibling(dockerfile.getFileName() + ".dockerignore");
        Path shared = dockerfile.resolveSibling(".dockerignore");
        Path file = tree.isFile(own) ? own : shared;
        return tree.isFile(file) ? Optional.of(DockerIgnore.parse(tree.read(file))) : Optional.empty();
    }

    /// True if what a step does ends up in the final image.
    boolean inFinalImage(Step step) {
        return image.chain().contains(step.stage());
    }

    Stream<Step> steps(Keyword keyword) {
        return steps.stream().filter(step -> step.instruction().keyword() == keyword);
    }

    /// Every `RUN`, and every `ONBUILD RUN`, which runs in the builds of images made from this one.
    Stream<Step> runs() {
        return steps(Keyword.RUN);
    }

    /// Collects what a function finds in each command of each `RUN`.
    List<Verdict> eachCommand(BiFunction<Step, ShellCommand, Stream<Verdict>> judge) {
        return runs().flatMap(step -> commands(step).stream().flatMap(command -> judge.apply(step, command)))
                .toList();
    }

    List<ShellCommand> commands(Step step) {
        return commands.getOrDefault(step, List.of());
    }

    /// A word with its variables, or as it is written where they cannot be substituted.
    static String expanded(Step step, Word word) {
        try {
            return step.expand(word);
        } catch (ContainerFileException e) {
            return word.value();
        }
    }
}
