package dev.caisson.build;

import dev.caisson.build.Operation.Run;
import dev.caisson.build.Operation.RunNetwork;
import dev.caisson.build.Operation.Script;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Flag;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Heredoc;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Reads a `RUN`.
final class RunPlanner {
    private static final Pattern ONLY_HEREDOC = Pattern.compile("<<-?[\"']?[\\w.-]+[\"']?");
    private static final String SCRIPTS = "/run/caisson-build/";

    private final StageGraph graph;
    private final Stage stage;
    private final Scope scope;
    private final Settings settings;

    RunPlanner(StageGraph graph, Stage stage, Scope scope, Settings settings) {
        this.graph = graph;
        this.stage = stage;
        this.scope = scope;
        this.settings = settings;
    }

    Run plan(Instruction instruction) {
        var flags = new Flags(instruction, scope, Set.of("mount", "network", "security"));
        flags.text("security").filter(value -> !value.equals("sandbox")).ifPresent(value -> {
            throw new BuildException(
                    "BUILD_SECURITY",
                    instruction.place(),
                    "--security=" + value + " is not given to a build: leave it out");
        });
        var mounts = new ArrayList<RunMount>();
        var planner = new MountPlanner(graph, stage, scope, settings);
        for (Flag flag : instruction.flags("mount")) {
            mounts.add(planner.plan(flag));
        }
        Optional<Script> script = script(instruction);
        return new Run(
                script.map(file -> List.of(file.target())).orElseGet(() -> command(instruction)),
                scope.variablesWithProxies(),
                scope.variables(),
                settings.workingDirectory().isEmpty() ? "/" : settings.workingDirectory(),
                settings.user(),
                mounts,
                network(instruction, flags),
                script);
    }

    private static RunNetwork network(Instruction instruction, Flags flags) {
        String network = flags.text("network").orElse("default");
        return switch (network) {
            case "default" -> RunNetwork.DEFAULT;
            case "none" -> RunNetwork.NONE;
            default ->
                throw new BuildException(
                        "BUILD_NETWORK",
                        instruction.place(),
                        "--network=" + network + " is not given to a build: write default or none");
        };
    }

    private static boolean isOnlyHeredoc(Instruction instruction) {
        return instruction.heredocs().size() == 1
                && ONLY_HEREDOC.matcher(instruction.arguments().text().strip()).matches();
    }

    /// A here-document alone whose first line names an interpreter is a program of its own.
    private static Optional<Script> script(Instruction instruction) {
        if (!isOnlyHeredoc(instruction)) {
            return Optional.empty();
        }
        Heredoc only = instruction.heredocs().getFirst();
        String content = only.body().text();
        return content.startsWith("#!")
                ? Optional.of(new Script(SCRIPTS + only.name().replaceAll("[^\\w.-]", "_"), content))
                : Optional.empty();
    }

    private List<String> command(Instruction instruction) {
        if (instruction.json().isPresent()) {
            List<String> words =
                    instruction.json().get().stream().map(Word::value).toList();
            if (words.isEmpty()) {
                throw new BuildException("BUILD_COMMAND", instruction.place(), "RUN has no program: name one");
            }
            return words;
        }
        var words = new ArrayList<>(settings.shellWords());
        words.add(text(instruction));
        return words;
    }

    private static String text(Instruction instruction) {
        if (isOnlyHeredoc(instruction)) {
            return instruction.heredocs().getFirst().body().text();
        }
        var text = new StringBuilder(instruction.arguments().text());
        for (Heredoc heredoc : instruction.heredocs()) {
            text.append('\n').append(heredoc.body().text()).append(heredoc.name());
        }
        return instruction.heredocs().isEmpty()
                ? text.toString()
                : text.append('\n').toString();
    }
}
