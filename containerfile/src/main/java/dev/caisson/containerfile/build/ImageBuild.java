package dev.caisson.containerfile.build;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.ImageReference;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Flag;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The result of a Dockerfile: its stages as a graph, and the image that each of them becomes.
/// @param arguments the build arguments given from outside, as `--build-arg`
public record ImageBuild(
        Dockerfile dockerfile,
        Map<String, String> arguments,
        BaseImages images,
        Map<String, String> globals,
        List<Stage> stages) {
    private static final Map<String, String> PLATFORM = Map.of(
            "BUILDPLATFORM", "linux/amd64",
            "BUILDOS", "linux",
            "BUILDARCH", "amd64",
            "BUILDVARIANT", "",
            "TARGETPLATFORM", "linux/amd64",
            "TARGETOS", "linux",
            "TARGETARCH", "amd64",
            "TARGETVARIANT", "");

    /// Resolves stages and their bases.
    /// @throws ContainerFileException if the file has no `FROM`, or an instruction other than `ARG` before it
    public static ImageBuild of(Dockerfile dockerfile, Map<String, String> arguments, BaseImages images) {
        Map<String, String> globals = new HashMap<>();
        List<Stage> stages = new ArrayList<>();
        List<Instruction> body = new ArrayList<>();
        var budget = new ExpansionBudget();
        Instruction from = null;
        for (Instruction instruction : dockerfile.instructions()) {
            if (instruction.keyword() == Keyword.FROM) {
                if (from != null) {
                    stages.add(stage(dockerfile, stages, from, body, arguments, globals, budget));
                    body = new ArrayList<>();
                }
                from = instruction;
            } else if (from != null) {
                body.add(instruction);
            } else if (instruction.keyword() == Keyword.ARG) {
                global(dockerfile, instruction, arguments, globals, budget);
            } else {
                throw new ContainerFileException(
                        FileError.DOCKERFILE_NO_STAGE,
                        instruction.place(),
                        "Only ARG may stand before the first FROM, not " + instruction.keyword() + ".");
            }
        }
        if (from == null) {
            Source source = dockerfile.source();
            throw new ContainerFileException(
                    FileError.DOCKERFILE_EMPTY, source.place(0, 0), source.name() + " has no FROM.");
        }
        stages.add(stage(dockerfile, stages, from, body, arguments, globals, budget));
        return new ImageBuild(dockerfile, Map.copyOf(arguments), images, Map.copyOf(globals), List.copyOf(stages));
    }

    private static void global(
            Dockerfile dockerfile,
            Instruction argument,
            Map<String, String> given,
            Map<String, String> globals,
            ExpansionBudget budget) {
        for (Assignment assignment : Assignment.arguments(argument.arguments(), dockerfile.escape())) {
            String name = assignment.name().value();
            String value = given.get(name);
            if (value == null && assignment.value().isPresent()) {
                value = expand(assignment.value().get(), dockerfile.escape(), globals, budget)
                        .value();
            }
            if (value != null) {
                globals.put(name, value);
            }
        }
    }

    private static Stage stage(
            Dockerfile dockerfile,
            List<Stage> earlier,
            Instruction from,
            List<Instruction> body,
            Map<String, String> given,
            Map<String, String> globals,
            ExpansionBudget budget) {
        List<Word> words = WordSplitter.split(from.arguments(), dockerfile.escape());
        boolean named = words.size() == 3 && words.get(1).value().equalsIgnoreCase("as");
        if (words.size() != 1 && !named) {
            throw new ContainerFileException(
                    FileError.DOCKERFILE_ARGUMENTS, from.place(), "FROM takes an image and, if wanted, AS and a name.");
        }
        Word base = words.getFirst();
        Map<String, String> variables = new HashMap<>(PLATFORM);
        variables.putAll(globals);
        variables.putAll(onlyPlatform(given));
        return new Stage(
                earlier.size(),
                named ? Optional.of(words.get(2).value().toLowerCase(Locale.ROOT)) : Optional.empty(),
                from,
                base,
                base(base, expand(base, dockerfile.escape(), variables, budget), earlier),
                List.copyOf(body));
    }

    private static Map<String, String> onlyPlatform(Map<String, String> given) {
        Map<String, String> platform = new HashMap<>(given);
        platform.keySet().retainAll(PLATFORM.keySet());
        return platform;
    }

    private static Base base(Word written, Substitution.Expanded expanded, List<Stage> earlier) {
        String name = expanded.value();
        if (!expanded.unset().isEmpty()) {
            return new Base.Unknown(
                    written.raw(), String.join(", ", expanded.unset()) + " has no default and was not given");
        }
        Optional<Stage> stage = find(earlier, name, false);
        if (stage.isPresent()) {
            return new Base.Earlier(stage.get());
        }
        if (name.equals("scratch")) {
            return new Base.Scratch();
        }
        return ImageReference.parse(name)
                .<Base>map(Base.Image::new)
                .orElseGet(() -> new Base.Unknown(written.raw(), "it is no image name"));
    }

    private static Optional<Stage> find(List<Stage> stages, String name, boolean byNumber) {
        for (Stage stage : stages.reversed()) {
            if (stage.name().filter(name::equalsIgnoreCase).isPresent()
                    || (byNumber && Integer.toString(stage.index()).equals(name))) {
                return Optional.of(stage);
            }
        }
        return Optional.empty();
    }

    static Substitution.Expanded expand(Word word, char escape, Map<String, String> variables, ExpansionBudget budget) {
        try {
            Substitution.Expanded expanded = Substitution.expand(word.raw(), escape, variables::get);
            budget.use(expanded.value().length());
            return expanded;
        } catch (ContainerFileException e) {
            throw new ContainerFileException(e.error(), word.place(), e.problem());
        }
    }

    /// The stage of that name or number.
    public Optional<Stage> stage(String name) {
        return find(stages, name, true);
    }

    /// The stage that is built when no other is asked for: the last one.
    public Stage finalStage() {
        return stages.getLast();
    }

    /// The image that a stage becomes.
    public EffectiveImage effective(Stage stage) {
        return new StageWalk(this).walk(stage);
    }

    /// A stage and every other that its build needs: bases, `COPY --from` and `RUN --mount=from`. In file order.
    public List<Stage> reachable(Stage stage) {
        Set<Stage> found = new LinkedHashSet<>();
        Deque<Stage> open = new ArrayDeque<>(List.of(stage));
        while (!open.isEmpty()) {
            Stage next = open.pop();
            if (found.add(next)) {
                if (next.base() instanceof Base.Earlier earlier) {
                    open.push(earlier.stage());
                }
                sources(next).forEach(word -> sourceStage(next, word.value()).ifPresent(open::push));
            }
        }
        return stages.stream().filter(found::contains).toList();
    }

    /// The `from` of every `COPY --from`, `ADD --from` and `RUN --mount=…,from=` of a stage.
    public List<Word> sources(Stage stage) {
        List<Word> sources = new ArrayList<>();
        for (Instruction instruction : stage.instructions()) {
            for (Flag flag : instruction.flags()) {
                String value = flag.value().orElse("");
                if (flag.name().equals("from")) {
                    sources.add(new Word(value, value, flag.place()));
                } else if (flag.name().equals("mount")) {
                    for (String part : value.split(",", -1)) {
                        if (part.startsWith("from=")) {
                            String name = part.substring(5);
                            sources.add(new Word(name, name, flag.place()));
                        }
                    }
                }
            }
        }
        return sources;
    }

    /// The stage before `stage` that a `from` names; empty where it names an image.
    public Optional<Stage> sourceStage(Stage stage, String name) {
        return find(stages.subList(0, stage.index()), name, true);
    }
}
