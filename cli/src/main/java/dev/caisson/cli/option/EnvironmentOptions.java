package dev.caisson.cli.option;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.linux.ByteText;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.util.List;

/// Docker's `--env` and `--env-file`, variables of the program, set here or passed on from this environment; and its
/// labels, which are given the same way.
public final class EnvironmentOptions {
    private static final int MAX_FILE = 1 << 20;
    /// Before a variable of the caller's that the launcher keeps from the JVM.
    private static final String KEPT = "CAISSON_CALLER_";

    private EnvironmentOptions() {}

    public static ContainerSpec apply(ContainerSpec start, List<String> files, List<String> variables) {
        ContainerSpec spec = start;
        for (String file : files) {
            for (String line : lines("--env-file", file)) {
                requireName("--env-file", file, line);
                spec = variable(spec, line);
            }
        }
        for (String variable : variables) {
            if (variable.isEmpty() || variable.startsWith("=")) {
                throw CommandException.refused(
                        "--env '" + variable + "'", "a variable has a name: give NAME=VALUE or NAME");
            }
            spec = variable(spec, variable);
        }
        return spec;
    }

    /// Docker's `--label` and `--label-file`; a label without a value has an empty one.
    static ContainerSpec applyLabels(ContainerSpec start, List<String> files, List<String> labels) {
        ContainerSpec spec = start;
        for (String file : files) {
            for (String line : lines("--label-file", file)) {
                requireName("--label-file", file, line);
                spec = label(spec, line);
            }
        }
        for (String label : labels) {
            if (label.isEmpty() || label.startsWith("=")) {
                throw CommandException.refused(
                        "--label '" + label + "'", "a label has a name: give NAME=VALUE or NAME");
            }
            spec = label(spec, label);
        }
        return spec;
    }

    private static ContainerSpec label(ContainerSpec spec, String text) {
        int equals = text.indexOf('=');
        return spec.label(equals < 0 ? text : text.substring(0, equals), equals < 0 ? "" : text.substring(equals + 1));
    }

    /// Returns the lines that are neither empty nor a comment.
    private static List<String> lines(String option, String file) {
        return text(option, file)
                .lines()
                .map(String::stripLeading)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();
    }

    /// A file is no script of the shell: `export NAME=VALUE` sets nothing, and quotes belong to the value.
    private static void requireName(String option, String file, String line) {
        int equals = line.indexOf('=');
        String name = equals < 0 ? line : line.substring(0, equals);
        String what = option.equals("--env-file") ? "variable" : "label";
        if (name.isEmpty()) {
            throw CommandException.refused(
                    option + " " + file, "the line '" + line + "' has no " + what + " name before its =");
        }
        if (name.chars().anyMatch(Character::isWhitespace)) {
            throw CommandException.refused(
                    option + " " + file,
                    "the " + what + " name '" + name + "' holds white space: write NAME=VALUE, without export");
        }
    }

    private static ContainerSpec variable(ContainerSpec spec, String text) {
        int equals = text.indexOf('=');
        if (equals >= 0) {
            return spec.environment(text.substring(0, equals), text.substring(equals + 1));
        }
        Caller caller = Caller.current();
        return caller.variable(KEPT + text)
                .or(() -> caller.variable(text))
                .map(value -> spec.environment(text, value))
                .orElse(spec);
    }

    private static String text(String option, String file) {
        try {
            String text = ByteText.of(NamedFile.read(file, MAX_FILE));
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (IOException e) {
            throw CommandException.refused(option + " " + file, "the file cannot be read (" + e.getMessage() + ")");
        }
    }
}
