package dev.caisson.build;

import dev.caisson.build.Operation.Directory;
import dev.caisson.build.Operation.Nothing;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.build.Assignment;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Flag;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import dev.caisson.linux.Processes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Turns the instructions of one stage into steps, given the configuration of its base. Touches no file.
final class StagePlanner {
    private static final Pattern PORT = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?(?:/([A-Za-z]+))?");
    private static final Set<String> TRANSPORTS = Set.of("tcp", "udp", "sctp");
    private static final Pattern LINE_END = Pattern.compile("\\R");
    private static final Pattern BLANK = Pattern.compile("\\s+");
    private static final int LAST_PORT = 65_535;
    private static final int MOST_PORTS = 65_536;
    private static final int MOST_STEPS = 10_000;
    /// More makes no configuration that an image may have.
    private static final int MOST_WRITTEN = 8 << 20;
    private static final int MOST_VARIABLES = 1_000;
    /// An image with more could not be unpacked.
    private static final int MOST_LAYERS = 500;

    private final StageGraph graph;
    private final Stage stage;
    private final Scope scope;
    private final List<BuildStep> steps = new ArrayList<>();
    private Settings settings;
    private int layers;
    private int written;

    /// @param base the configuration that the stage begins with
    StagePlanner(StageGraph graph, Stage stage, Settings base) {
        this.graph = graph;
        this.stage = stage;
        this.settings = base.asBase().withoutTriggers();
        this.scope = graph.scope(base);
        graph.beginPorts(stage);
        triggers(base.triggers());
    }

    /// Plans the stage's own instructions, after those that its base has left for it.
    List<BuildStep> plan() {
        stage.instructions().forEach(this::plan);
        return List.copyOf(steps);
    }

    /// The triggers of a base image are instructions without a line in the file: they stand at its `FROM`.
    private void triggers(List<String> triggers) {
        for (String trigger : triggers) {
            List<Instruction> parsed =
                    Dockerfile.parse(Source.of("ONBUILD", trigger + "\n")).instructions();
            for (Instruction instruction : parsed) {
                refuseTrigger(instruction, stage.from().place());
                plan(instruction);
            }
        }
    }

    private static void refuseTrigger(Instruction trigger, Place place) {
        Keyword keyword = trigger.keyword();
        if (keyword == Keyword.ONBUILD || keyword == Keyword.FROM || keyword == Keyword.MAINTAINER) {
            throw new BuildException("BUILD_ONBUILD", place, "ONBUILD cannot hold " + keyword + ": take it out");
        }
    }

    private void plan(Instruction instruction) {
        switch (instruction.keyword()) {
            case ARG -> argument(instruction);
            case ENV -> environment(instruction);
            case LABEL -> labels(instruction);
            case MAINTAINER ->
                change(instruction, settings.author(instruction.arguments().text()));
            case USER -> user(instruction);
            case WORKDIR -> workingDirectory(instruction);
            case EXPOSE -> expose(instruction);
            case VOLUME -> volumes(instruction);
            case STOPSIGNAL -> stopSignal(instruction);
            case SHELL -> shell(instruction);
            case ENTRYPOINT -> change(instruction, settings.entrypoint(program(instruction)));
            case CMD -> change(instruction, settings.command(program(instruction)));
            case HEALTHCHECK -> change(instruction, settings.health(new HealthPlanner(scope).plan(instruction)));
            case ONBUILD -> trigger(instruction);
            case RUN -> run(instruction);
            case COPY, ADD -> copy(instruction);
            case FROM -> throw new IllegalStateException("a stage holds a FROM");
        }
    }

    /// The history names the flags that BuildKit's does, with their variables replaced.
    private void copy(Instruction instruction) {
        Operation.Copy copy = new CopyPlanner(graph, stage, scope, settings).plan(instruction);
        var createdBy = new StringBuilder(instruction.keyword().name());
        if (copy.parents()) {
            createdBy.append(" --parents");
        }
        for (String name : List.of("chown", "chmod")) {
            for (Flag flag : instruction.flags(name)) {
                String value = scope.expand(flag.value().orElse(""), flag.place());
                createdBy.append(" --").append(name).append('=').append(value);
            }
        }
        createdBy.append(' ').append(shown(instruction.arguments().text())).append(" # buildkit");
        add(instruction, createdBy.toString(), copy, settings);
    }

    private void change(Instruction instruction, Settings after) {
        new Flags(instruction, scope, flags(instruction.keyword()));
        add(
                instruction,
                instruction.keyword() + " " + shown(instruction.arguments().text()),
                new Nothing(),
                after);
    }

    private static Set<String> flags(Keyword keyword) {
        return keyword == Keyword.HEALTHCHECK ? HealthPlanner.FLAGS : Set.of();
    }

    private void add(Instruction instruction, String createdBy, Operation operation, Settings after) {
        Place place = instruction.place();
        Place shownAt = place.file().equals("ONBUILD") ? stage.from().place() : place;
        steps.add(new BuildStep(shownAt, shown(place.text()), createdBy, operation, after));
        written += createdBy.length();
        layers += operation instanceof Nothing || operation instanceof Directory ? 0 : 1;
        requireFew(shownAt, steps.size(), MOST_STEPS, "instructions in a stage");
        requireFew(shownAt, layers, MOST_LAYERS, "instructions in a stage that make a layer");
        requireFew(shownAt, written, MOST_WRITTEN, "characters in the history of a stage");
        settings = after;
    }

    private static void requireFew(Place place, int count, int most, String what) {
        if (count > most) {
            throw new BuildException(
                    "BUILD_SIZE", place, "there are more than " + most + " " + what + ": put several into one");
        }
    }

    private static String shown(String text) {
        String[] lines = LINE_END.split(text, -1);
        var shown = new ArrayList<String>();
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i].strip();
            boolean continues = i < lines.length - 1 && line.endsWith("\\");
            shown.add(continues ? line.substring(0, line.length() - 1).strip() : line);
        }
        shown.removeIf(String::isEmpty);
        return String.join(" ", shown);
    }

    private void argument(Instruction instruction) {
        // none of them sees another one of the same line
        var values = new LinkedHashMap<String, Optional<String>>();
        for (Assignment argument : Assignment.arguments(instruction.arguments(), graph.escape())) {
            values.put(argument.name().value(), argument.value().map(scope::expand));
        }
        values.forEach((name, value) -> scope.declare(name, value.orElse(null)));
        add(instruction, "ARG " + shown(instruction.arguments().text()), new Nothing(), settings);
    }

    private Map<String, String> pairs(Instruction instruction) {
        var pairs = new LinkedHashMap<String, String>();
        for (Assignment pair : Assignment.pairs(instruction.keyword(), instruction.arguments(), graph.escape())) {
            String name = scope.expand(pair.name());
            if (name.isEmpty() || name.indexOf('\0') >= 0) {
                throw new BuildException(
                        "BUILD_NAME", pair.place(), instruction.keyword() + " has an empty name: write NAME=VALUE");
            }
            pairs.put(name, scope.expand(pair.value().orElse(pair.name())));
        }
        return pairs;
    }

    private void environment(Instruction instruction) {
        Map<String, String> pairs = pairs(instruction);
        pairs.keySet().forEach(name -> {
            if (name.indexOf('=') >= 0) {
                throw new BuildException(
                        "BUILD_NAME", instruction.place(), "ENV has the name " + name + " with a =: take it out");
            }
        });
        requireFew(instruction.place(), scope.environment(pairs), MOST_VARIABLES, "variables in an image");
        change(instruction, settings.environment(pairs));
    }

    private void labels(Instruction instruction) {
        change(instruction, settings.labels(pairs(instruction)));
    }

    private String whole(Instruction instruction) {
        return scope.expand(
                instruction.arguments().text(), instruction.arguments().place());
    }

    private void user(Instruction instruction) {
        String user = whole(instruction);
        if (user.isEmpty()) {
            throw new BuildException(
                    "BUILD_USER", instruction.place(), "USER is empty once its variables are replaced: name a user");
        }
        change(instruction, settings.user(user));
    }

    private void workingDirectory(Instruction instruction) {
        String path = whole(instruction);
        if (path.isEmpty()) {
            throw new BuildException(
                    "BUILD_PATH",
                    instruction.place(),
                    "WORKDIR is empty once its variables are replaced: name a directory");
        }
        String absolute = TargetPath.of(settings.workingDirectory(), path, instruction.place())
                .path();
        new Flags(instruction, scope, Set.of());
        add(
                instruction,
                "WORKDIR " + absolute,
                new Directory(absolute, settings.user()),
                settings.workingDirectory(absolute));
    }

    private void expose(Instruction instruction) {
        var ports = new ArrayList<String>();
        for (Word word : WordSplitter.split(instruction.arguments(), graph.escape())) {
            for (String text : BLANK.split(scope.expand(word).strip(), -1)) {
                List<String> named = ports(text, word.place());
                ports.addAll(named);
                requireFew(
                        word.place(),
                        graph.countPorts(stage, named.size()),
                        TRANSPORTS.size() * MOST_PORTS,
                        "ports in the EXPOSE instructions of the file");
            }
        }
        change(instruction, settings.ports(ports));
    }

    private static List<String> ports(String text, Place place) {
        var port = PORT.matcher(text);
        if (port.matches()) {
            int first = Integer.parseInt(port.group(1));
            int last = port.group(2) == null ? first : Integer.parseInt(port.group(2));
            String transport = port.group(3) == null ? "tcp" : port.group(3).toLowerCase(Locale.ROOT);
            if (first >= 1 && first <= last && last <= LAST_PORT && TRANSPORTS.contains(transport)) {
                var ports = new ArrayList<String>();
                for (int number = first; number <= last && ports.size() < MOST_PORTS; number++) {
                    ports.add(number + "/" + transport);
                }
                return ports;
            }
        }
        throw new BuildException(
                "BUILD_PORT", place, "port " + text + " is not PORT[-PORT][/tcp|udp|sctp]: write it as 80/tcp");
    }

    private void volumes(Instruction instruction) {
        var volumes = new ArrayList<String>();
        boolean exec = instruction.json().isPresent();
        for (Word word :
                instruction.json().orElseGet(() -> WordSplitter.split(instruction.arguments(), graph.escape()))) {
            String path = exec ? scope.expand(word.value(), word.place()) : scope.expand(word);
            if (path.isBlank()) {
                throw new BuildException("BUILD_PATH", word.place(), "VOLUME has an empty path: name a directory");
            }
            volumes.add(path);
        }
        change(instruction, settings.volumes(volumes));
    }

    private void stopSignal(Instruction instruction) {
        String signal = whole(instruction);
        if (Processes.signalNumber(signal).isEmpty()) {
            throw new BuildException(
                    "BUILD_SIGNAL",
                    instruction.place(),
                    "stop signal " + signal + " is none: write a name as SIGTERM, or a number");
        }
        change(instruction, settings.stopSignal(signal));
    }

    private void shell(Instruction instruction) {
        List<String> words = instruction.json().map(StagePlanner::values).orElse(List.of());
        if (words.isEmpty()) {
            throw new BuildException(
                    "BUILD_SHELL",
                    instruction.place(),
                    "SHELL takes a JSON list of words: write SHELL [\"/bin/sh\", \"-c\"]");
        }
        change(instruction, settings.shell(words));
    }

    private static List<String> values(List<Word> words) {
        return words.stream().map(Word::value).toList();
    }

    private List<String> program(Instruction instruction) {
        if (instruction.json().isPresent()) {
            return values(instruction.json().get());
        }
        if (instruction.arguments().isBlank()) {
            return List.of();
        }
        var words = new ArrayList<>(settings.shellWords());
        words.add(instruction.arguments().text());
        return words;
    }

    private void trigger(Instruction instruction) {
        Instruction held = instruction.trigger().orElseThrow();
        refuseTrigger(held, held.place());
        if (!held.heredocs().isEmpty()) {
            throw new BuildException(
                    "BUILD_ONBUILD", held.place(), "ONBUILD cannot hold a here-document: write it in one line");
        }
        change(instruction, settings.trigger(instruction.arguments().text()));
    }

    private void run(Instruction instruction) {
        graph.requireInterpreter(stage, stage.from().place()); // a trigger is known only now
        Operation.Run run = new RunPlanner(graph, stage, scope, settings).plan(instruction);
        Map<String, String> arguments = scope.arguments();
        var named = new StringBuilder();
        arguments.forEach(
                (name, value) -> named.append(' ').append(name).append('=').append(value));
        String before = arguments.isEmpty() ? "" : "|" + arguments.size() + named + " ";
        add(instruction, "RUN " + before + String.join(" ", run.command()) + " # buildkit", run, settings);
    }
}
