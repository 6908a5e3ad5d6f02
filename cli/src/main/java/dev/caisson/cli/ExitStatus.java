package dev.caisson.cli;

import dev.caisson.error.CaissonException;
import java.util.Set;

/// The exit status of a command that failed.
///
/// A command that runs a program ends with 125 if it could not, because every other number may be the
/// program's. Docker's other commands for containers end with 1, as Docker's client does, but with 125 if their
/// words were not understood.
final class ExitStatus {
    private static final int FAILED = 1;

    private static final Set<String> FOR_CONTAINERS = Set.of(
            "attach", "commit", "cp", "df", "diff", "events", "export", "inspect", "kill", "logs", "ls", "list",
            "pause", "port", "prune", "ps", "rename", "restart", "rm", "start", "stats", "stop", "top", "unpause",
            "update", "wait");
    private static final Set<String> OF_WORDS = Set.of("USAGE", "OPTION_REFUSED");

    private ExitStatus() {}

    /// @param command with all its words, as `caisson container rm`
    static int of(String command, CaissonException failure) {
        boolean refused = failure.exitStatus() == CaissonException.EXIT_ENGINE && !OF_WORDS.contains(failure.code());
        return refused && isForContainers(command) ? FAILED : failure.exitStatus();
    }

    private static boolean isForContainers(String command) {
        String[] words = command.split(" ", -1);
        boolean grouped = words.length == 3 && (words[1].equals("container") || words[1].equals("system"));
        return (words.length == 2 || grouped) && FOR_CONTAINERS.contains(words[words.length - 1]);
    }
}
