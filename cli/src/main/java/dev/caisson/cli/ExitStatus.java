package dev.caisson.cli;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.template.TemplateException;
import dev.caisson.error.CaissonException;
import java.util.Set;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// The exit status of a command that failed.
///
/// A command that runs a program ends with 125 if it could not, because every other number may be the
/// program's, and so do Caisson's own commands. Docker's other commands end as Docker's client does: with 125 if an
/// option is unknown or its value cannot be read, else with 1.
final class ExitStatus {
    private static final int FAILED = 1;

    private static final Set<String> DOCKERS = Set.of(
            "attach",
            "build",
            "commit",
            "container",
            "cp",
            "diff",
            "events",
            "export",
            "history",
            "image",
            "images",
            "import",
            "info",
            "inspect",
            "kill",
            "load",
            "login",
            "logout",
            "logs",
            "network",
            "pause",
            "port",
            "ps",
            "pull",
            "push",
            "rename",
            "restart",
            "rm",
            "rmi",
            "save",
            "start",
            "stats",
            "stop",
            "system",
            "tag",
            "top",
            "unpause",
            "update",
            "version",
            "volume",
            "wait");
    private static final Set<String> RUN_A_PROGRAM = Set.of("container run", "container create", "container exec");

    private ExitStatus() {}

    /// @param command with all its words, as `caisson container rm`
    static int of(String command, CaissonException failure) {
        int own = failure.exitStatus();
        if (!isDockersWithoutProgram(command)) {
            return own;
        }
        return switch (own) {
            case CaissonException.EXIT_ENGINE -> FAILED;
            case TemplateException.MALFORMED -> command.endsWith(" inspect") ? own : FAILED;
            default -> own;
        };
    }

    /// Returns the status for words that do not fit the command's options and arguments.
    static int of(String command, ParameterException problem) {
        boolean isOfArguments = switch (problem) {
            case MissingParameterException missing ->
                missing.getMissing().stream().allMatch(ArgSpec::isPositional);
            case UnmatchedArgumentException unmatched -> !unmatched.isUnknownOption();
            default -> false;
        };
        return isOfArguments && isDockersWithoutProgram(command) ? FAILED : CommandException.ENGINE_FAILED;
    }

    private static boolean isDockersWithoutProgram(String command) {
        String[] words = command.split(" ", -1);
        boolean runsAProgram = words.length > 2 && RUN_A_PROGRAM.contains(words[1] + " " + words[2]);
        return words.length > 1 && DOCKERS.contains(words[1]) && !runsAProgram;
    }
}
