package dev.caisson.cli;

import dev.caisson.linux.ByteText;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.util.List;

/// Docker's `--env` and `--env-file`: variables of the program, set here or passed on from this environment.
final class EnvironmentOptions {
    private static final int MAX_FILE = 1 << 20;
    /// Before a variable of the caller's that the launcher keeps from the JVM.
    private static final String KEPT = "CAISSON_CALLER_";

    private EnvironmentOptions() {}

    static ContainerSpec apply(ContainerSpec start, List<String> files, List<String> variables) {
        ContainerSpec spec = start;
        for (String file : files) {
            for (String line : text(file).lines().toList()) {
                String stripped = line.stripLeading();
                if (!stripped.isEmpty() && !stripped.startsWith("#")) {
                    spec = lineOfFile(spec, file, stripped);
                }
            }
        }
        for (String variable : variables) {
            if (variable.isEmpty() || variable.startsWith("=")) {
                throw RunOptions.refused("--env '" + variable + "'", "a variable has a name: give NAME=VALUE or NAME");
            }
            spec = variable(spec, variable);
        }
        return spec;
    }

    /// A file is no script of the shell: `export NAME=VALUE` sets nothing, and quotes belong to the value.
    private static ContainerSpec lineOfFile(ContainerSpec spec, String file, String line) {
        int equals = line.indexOf('=');
        String name = equals < 0 ? line : line.substring(0, equals);
        if (name.isEmpty()) {
            throw RunOptions.refused("--env-file " + file, "the line '" + line + "' has no variable name before its =");
        }
        if (name.chars().anyMatch(Character::isWhitespace)) {
            throw RunOptions.refused(
                    "--env-file " + file,
                    "the variable name '" + name + "' holds white space: write NAME=VALUE, without export");
        }
        return variable(spec, line);
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

    private static String text(String file) {
        try {
            String text = ByteText.of(NamedFile.read(file, MAX_FILE));
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (IOException e) {
            throw RunOptions.refused("--env-file " + file, "the file cannot be read (" + e.getMessage() + ")");
        }
    }
}
