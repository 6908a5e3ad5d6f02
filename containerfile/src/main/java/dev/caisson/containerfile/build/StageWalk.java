package dev.caisson.containerfile.build;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.ImageConfig;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.JsonWords;
import dev.caisson.containerfile.dockerfile.LogicalText;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Carries out the instructions of a stage and of the stages below it, in thought: scopes of `ENV` and `ARG`, and the
/// settings of the image as each instruction changes them.
final class StageWalk {
    /// Each step keeps the variables that are in scope there.
    private static final long MOST_KEPT = 2_000_000;

    private final ImageBuild build;
    private final char escape;
    private final ExpansionBudget budget = new ExpansionBudget();
    private final Map<String, Setting<String>> environment = new LinkedHashMap<>();
    private final Map<String, Setting<String>> labels = new LinkedHashMap<>();
    private final List<Setting<String>> ports = new ArrayList<>();
    private final List<Setting<String>> volumes = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private final Map<String, String> arguments = new HashMap<>();
    private Map<String, String> variables = Map.of();
    private boolean isNew;
    private long kept;
    private Optional<Setting<String>> user = Optional.empty();
    private List<String> userUnset = List.of();
    private Optional<Setting<HealthCheck>> health = Optional.empty();
    private Optional<Setting<List<Word>>> entrypoint = Optional.empty();
    private Optional<Setting<List<Word>>> command = Optional.empty();

    StageWalk(ImageBuild build) {
        this.build = build;
        this.escape = build.dockerfile().escape();
    }

    EffectiveImage walk(Stage stage) {
        Deque<Stage> chain = new ArrayDeque<>(List.of(stage));
        while (chain.getFirst().base() instanceof Base.Earlier earlier) {
            chain.addFirst(earlier.stage());
        }
        Base root = chain.getFirst().base();
        Optional<ImageConfig> config =
                root instanceof Base.Image image ? build.images().find(image.reference()) : Optional.empty();
        config.ifPresent(present -> startFrom(present, chain.getFirst().from().place()));
        for (Stage part : chain) {
            for (Instruction instruction : part.instructions()) {
                steps.add(new Step(part, instruction, user, variables, escape));
                carryOut(instruction);
                requireFew(instruction);
            }
        }
        return new EffectiveImage(
                stage,
                List.copyOf(chain),
                root,
                config,
                user,
                userUnset,
                environment,
                labels,
                ports,
                volumes,
                health,
                entrypoint,
                command,
                steps);
    }

    private void requireFew(Instruction instruction) {
        kept += isNew ? variables.size() : 0;
        isNew = false;
        if (kept > MOST_KEPT) {
            throw new ContainerFileException(
                    FileError.DOCKERFILE_SUBSTITUTION,
                    instruction.place(),
                    "The instructions that change variables, times the variables there, are more than " + MOST_KEPT
                            + ".");
        }
    }

    private void startFrom(ImageConfig config, Place from) {
        if (!config.user().isEmpty()) {
            user = Optional.of(new Setting<>(config.user(), from));
        }
        config.environment().forEach((name, value) -> environment.put(name, new Setting<>(value, from)));
        config.ports().forEach(port -> ports.add(new Setting<>(port, from)));
        config.volumes().forEach(volume -> volumes.add(new Setting<>(volume, from)));
        health = config.health().map(check -> new Setting<>(check, from));
        refreshVariables();
    }

    private void carryOut(Instruction instruction) {
        switch (instruction.keyword()) {
            case ENV -> assign(instruction, environment);
            case LABEL -> assign(instruction, labels);
            case ARG -> declare(instruction);
            case USER -> user(instruction);
            case EXPOSE -> words(instruction).forEach(ports::add);
            case VOLUME -> words(instruction).forEach(volumes::add);
            case HEALTHCHECK -> health = Optional.of(new Setting<>(healthCheck(instruction), instruction.place()));
            case ENTRYPOINT -> {
                entrypoint = Optional.of(new Setting<>(argumentWords(instruction), instruction.place()));
                // BuildKit forgets a CMD that came before
                command = Optional.empty();
            }
            case CMD -> command = Optional.of(new Setting<>(argumentWords(instruction), instruction.place()));
            case ADD, COPY, FROM, MAINTAINER, ONBUILD, RUN, SHELL, STOPSIGNAL, WORKDIR -> {
                // they change files, or nothing that is modelled
            }
        }
    }

    private void assign(Instruction instruction, Map<String, Setting<String>> into) {
        Map<String, Setting<String>> changed = new LinkedHashMap<>();
        for (Assignment pair : Assignment.pairs(instruction.keyword(), instruction.arguments(), escape)) {
            Word value = pair.value().orElse(pair.name());
            String name =
                    ImageBuild.expand(pair.name(), escape, variables, budget).value();
            changed.put(
                    name,
                    new Setting<>(
                            ImageBuild.expand(value, escape, variables, budget).value(), pair.place()));
        }
        into.putAll(changed);
        refreshVariables();
    }

    private void declare(Instruction instruction) {
        for (Assignment argument : Assignment.arguments(instruction.arguments(), escape)) {
            String name = argument.name().value();
            String given = build.arguments().get(name);
            if (given == null && argument.value().isPresent()) {
                given = ImageBuild.expand(argument.value().get(), escape, variables, budget)
                        .value();
            }
            if (given == null) {
                given = build.globals().get(name);
            }
            if (given != null) {
                arguments.put(name, given);
            }
        }
        refreshVariables();
    }

    private void user(Instruction instruction) {
        LogicalText text = instruction.arguments();
        Word word = new Word(text.text(), text.text(), text.place());
        Substitution.Expanded expanded = ImageBuild.expand(word, escape, variables, budget);
        user = Optional.of(new Setting<>(expanded.value(), instruction.place()));
        userUnset = List.copyOf(expanded.unset());
    }

    private List<Setting<String>> words(Instruction instruction) {
        return argumentWords(instruction).stream()
                .map(word -> new Setting<>(
                        instruction.json().isPresent()
                                ? word.value()
                                : ImageBuild.expand(word, escape, variables, budget)
                                        .value(),
                        word.place()))
                .toList();
    }

    private List<Word> argumentWords(Instruction instruction) {
        return instruction.json().orElseGet(() -> WordSplitter.split(instruction.arguments(), escape));
    }

    private HealthCheck healthCheck(Instruction instruction) {
        LogicalText text = instruction.arguments();
        WordSplitter words = new WordSplitter(text, escape);
        String kind = words.next() ? words.word().value() : "";
        if (kind.equalsIgnoreCase("NONE")) {
            return new HealthCheck.None();
        }
        if (!kind.equalsIgnoreCase("CMD")) {
            throw new ContainerFileException(
                    FileError.DOCKERFILE_ARGUMENTS, instruction.place(), "HEALTHCHECK takes CMD or NONE.");
        }
        LogicalText command = text.slice(words.end(), text.length()).strip();
        return JsonWords.parse(command)
                .<HealthCheck>map(exec ->
                        new HealthCheck.ExecForm(exec.stream().map(Word::value).toList()))
                .orElseGet(() -> new HealthCheck.ShellForm(command.text()));
    }

    /// `ENV` hides an `ARG` of the same name.
    private void refreshVariables() {
        Map<String, String> all = new HashMap<>(arguments);
        environment.forEach((name, setting) -> all.put(name, setting.value()));
        variables = all;
        isNew = true;
    }
}
