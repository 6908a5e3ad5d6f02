package dev.caisson.cli.build;

import dev.caisson.build.BuildListener;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Set;

/// The ways to show how a build goes on, as `--progress` names them.
final class BuildProgress {
    private static final Set<String> NAMES = Set.of("auto", "plain", "tty", "quiet", "rawjson");
    private static final double NANOS = 1e9;

    private BuildProgress() {}

    /// @throws CommandException if there is no such way
    static void require(String name) {
        if (!NAMES.contains(name)) {
            throw CommandException.usage(
                    "--progress is auto, plain, tty, quiet or rawjson, not '" + OneLine.of(name) + "'");
        }
    }

    /// @param isTerminal whether `err` is a terminal whose lines may be drawn again
    static BuildListener of(String name, PrintWriter err, boolean isTerminal) {
        return switch (name) {
            case "quiet" -> BuildListener.none();
            case "rawjson" -> new JsonProgress(err);
            case "tty" -> new TerminalProgress(err);
            case "plain" -> new PlainProgress(err);
            default -> isTerminal ? new TerminalProgress(err) : new PlainProgress(err);
        };
    }

    static String title(int number, String where, String text) {
        return "#" + number + " [" + where + "] " + OneLine.of(text);
    }

    /// @param begun of the step, as [System#nanoTime]
    static String line(int number, long begun, String line) {
        String time = String.format(Locale.ROOT, "%.3f", (System.nanoTime() - begun) / NANOS);
        return "#" + number + " " + time + " " + (line.isBlank() ? "" : OneLine.of(line));
    }

    static String[] lines(String text) {
        return text.stripTrailing().split("\n", -1);
    }

    static String end(boolean cached, long nanos) {
        return cached ? "CACHED" : String.format(Locale.ROOT, "DONE %.1fs", nanos / NANOS);
    }
}
