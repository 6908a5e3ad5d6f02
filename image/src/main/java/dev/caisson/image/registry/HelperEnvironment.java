package dev.caisson.image.registry;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// What a credential helper is started with in place of this process's own environment, which may be a server's.
///
/// @param variables all of them; `PATH` among them says where helpers are looked for
/// @param directory absolute
public record HelperEnvironment(Map<String, String> variables, Path directory) {
    private static final String USUAL_PATH = "/bin:/usr/bin";

    public HelperEnvironment {
        variables = Map.copyOf(variables);
        if (!directory.isAbsolute()) {
            throw new IllegalArgumentException("the directory " + directory + " is relative");
        }
    }

    /// Prepares a program as execvp(3) would find it for somebody with these variables in this directory.
    /// @throws FileNotFoundException if there is none
    ProcessBuilder start(String program, String argument) throws IOException {
        var builder = new ProcessBuilder(found(program).toString(), argument).directory(directory.toFile());
        Map<String, String> own = builder.environment();
        own.clear();
        own.putAll(variables);
        return builder;
    }

    private Path found(String program) throws IOException {
        if (program.indexOf('/') >= 0) {
            return directory.resolve(program);
        }
        for (String place : variables.getOrDefault("PATH", USUAL_PATH).split(":", -1)) {
            Path candidate = directory.resolve(place).resolve(program);
            if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        throw new FileNotFoundException(program + " is in no directory of PATH");
    }
}
