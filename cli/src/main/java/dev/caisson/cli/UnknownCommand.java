package dev.caisson.cli;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import java.util.Optional;
import picocli.CommandLine;

/// The error for a word that does not name a command.
final class UnknownCommand {
    private UnknownCommand() {}

    /// Looked for first, because picocli answers `--help` before it minds a word that is no command.
    static Optional<CommandException> in(CommandLine all, String... args) {
        CommandLine line = all;
        for (String word : args) {
            if (line.getSubcommands().isEmpty()) {
                break;
            }
            if (!word.startsWith("-")) {
                CommandLine next = line.getSubcommands().get(word);
                if (next == null) {
                    return Optional.of(of(line, word));
                }
                line = next;
            }
        }
        return Optional.empty();
    }

    private static CommandException of(CommandLine in, String word) {
        String command = in.getCommandSpec().qualifiedName();
        Optional<String> instead = in.getParent() == null ? LaterCommands.instead(word) : Optional.empty();
        String advice = instead.map(text -> "it is Docker's and not part of this version: " + text)
                .or(() -> NearWord.of(word, in.getSubcommands().keySet())
                        .map(near -> "did you mean '" + command + " " + near + "'?"))
                .orElse("try '" + command + " --help'");
        return new CommandException(
                "USAGE",
                CommandException.UNKNOWN_COMMAND,
                "unknown command: " + command + " " + OneLine.of(word) + "; " + advice);
    }
}
