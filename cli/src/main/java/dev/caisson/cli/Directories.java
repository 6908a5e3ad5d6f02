package dev.caisson.cli;

import dev.caisson.engine.EngineOptions;
import java.nio.file.Path;

/// The engine's directories: the standard ones, or where CAISSON_STATE and CAISSON_DATA say.
final class Directories {
    private Directories() {}

    static EngineOptions options() {
        return new EngineOptions(
                directory("CAISSON_STATE", EngineOptions.DEFAULT_STATE),
                directory("CAISSON_DATA", EngineOptions.DEFAULT_DATA));
    }

    private static Path directory(String variable, Path standard) {
        String value = System.getenv(variable);
        if (value == null || value.isEmpty()) {
            return standard;
        }
        if (!value.startsWith("/")) {
            throw CommandException.usage(variable + " is an absolute path");
        }
        return Path.of(value);
    }
}
