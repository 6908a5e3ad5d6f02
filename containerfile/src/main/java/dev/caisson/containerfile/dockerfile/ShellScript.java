package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Heredoc;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Takes a POSIX shell script apart into its simple commands, those in substitutions, subshells and `sh -c` included.
/// It never fails: what it does not understand it passes over, since a build's shell may be of another kind.
public final class ShellScript {
    private static final Set<String> SHELLS = Set.of("sh", "bash", "ash", "dash", "zsh", "ksh", "busybox");
    /// Programs that hand a script to another user's shell.
    private static final Set<String> OTHER_USER = Set.of("su", "runuser", "script", "flock");

    private static final int MAX_DEPTH = 8;

    private ShellScript() {}

    /// The commands of a script, in the order in which they are written.
    public static List<ShellCommand> commands(LogicalText text) {
        List<ShellCommand> commands = new ArrayList<>();
        collect(text, commands, 0);
        return List.copyOf(commands);
    }

    /// The commands that an instruction runs by a shell, heredocs among them; none for any other instruction.
    public static List<ShellCommand> commands(Instruction instruction) {
        List<ShellCommand> commands = new ArrayList<>();
        if (instruction.keyword() == Keyword.ONBUILD) {
            return instruction
                    .trigger()
                    .filter(trigger -> trigger.keyword() == Keyword.RUN)
                    .map(ShellScript::commands)
                    .orElse(List.of());
        }
        if (instruction.json().isPresent()) {
            List<Word> words = instruction.json().get();
            ShellCommand command = new ShellCommand(words, List.of(), List.of(), Optional.empty(), instruction.place());
            commands.add(command);
            inner(command, commands, 0);
            return List.copyOf(commands);
        }
        collect(instruction.arguments(), commands, 0);
        boolean onlyHeredoc =
                commands.stream().allMatch(command -> command.words().isEmpty());
        boolean readByShell = commands.stream().anyMatch(command -> SHELLS.contains(command.name()));
        if (onlyHeredoc || readByShell) {
            for (Heredoc heredoc : instruction.heredocs()) {
                if (isShellScript(heredoc.body().text())) {
                    collect(heredoc.body(), commands, 0);
                }
            }
        }
        return List.copyOf(commands);
    }

    private static boolean isShellScript(String body) {
        if (!body.startsWith("#!")) {
            return true;
        }
        String firstLine = body.lines().findFirst().orElse("");
        return SHELLS.stream().anyMatch(shell -> firstLine.endsWith("/" + shell) || firstLine.contains(" " + shell));
    }

    static void collect(LogicalText text, List<ShellCommand> into, int depth) {
        if (depth > MAX_DEPTH) {
            return;
        }
        int first = into.size();
        new ShellScanner(text, into, depth).scan();
        for (ShellCommand command : List.copyOf(into.subList(first, into.size()))) {
            inner(command, into, depth);
        }
    }

    /// The script that `sh -c` or `su -c` is given.
    private static void inner(ShellCommand command, List<ShellCommand> into, int depth) {
        boolean otherUser = OTHER_USER.contains(command.name());
        if ((!SHELLS.contains(command.name()) && !otherUser) || depth > MAX_DEPTH) {
            return;
        }
        List<Word> arguments = command.argumentWords();
        for (int at = 0; at + 1 < arguments.size(); at++) {
            String option = arguments.get(at).value();
            boolean longer = otherUser && (option.equals("--command") || option.equals("--session-command"));
            if (longer || (option.startsWith("-") && !option.startsWith("--") && option.endsWith("c"))) {
                Word script = arguments.get(at + 1);
                Place place = script.place();
                boolean quoted = script.raw().length() >= 2
                        && (script.raw().startsWith("'") || script.raw().startsWith("\""))
                        && place.text().equals(script.raw());
                LogicalText text = quoted
                        ? LogicalText.of(place.source(), place.start() + 1, place.end() - 1)
                        : LogicalText.of(place.source(), place.start(), place.end());
                collect(text, into, depth + 2);
                return;
            }
        }
    }
}
