package dev.caisson.cli.caller;

import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.ColorScheme;

/// The output's destination, as far as colours depend on it.
///
/// @param output standard output may carry colours
/// @param error standard error may carry colours
public record Terminal(boolean output, boolean error) {
    public static final Terminal NONE = new Terminal(false, false);

    /// `NO_COLOR` (no-color.org) and a dumb terminal switch colours off.
    /// @param descriptors the digits of those that are terminals, as `12`
    public static Terminal of(String descriptors, String noColor, String term) {
        if (!noColor.isEmpty() || term.isEmpty() || term.equals("dumb")) {
            return NONE;
        }
        return new Terminal(descriptors.contains("1"), descriptors.contains("2"));
    }

    public ColorScheme outputColours() {
        return Help.defaultColorScheme(output ? Ansi.ON : Ansi.OFF);
    }

    /// A line for standard error, red where that is a terminal.
    public String alarm(String line) {
        return red(line, error);
    }

    public static String red(String line, boolean colours) {
        return colours ? "\u001b[31m" + line + "\u001b[0m" : line;
    }
}
