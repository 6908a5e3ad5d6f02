package dev.caisson.cli.build;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.containerfile.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/// The Dockerfile and the directory that a build is given.
///
/// @param ignore the patterns of what it does not see of the directory
record BuildSources(Source dockerfile, Optional<Path> context, Optional<Source> ignore) {
    private static final Pattern ADDRESS =
            Pattern.compile("(?:https?|git|ssh)://.*|git@.*|.*\\.git(?:#.*)?|github\\.com/.*");
    private static final String STANDARD_INPUT = "-";
    private static final int STATUS = 125;

    static BuildSources of(Caller caller, String context, @org.jspecify.annotations.Nullable String file) {
        if (ADDRESS.matcher(context).matches() && !Files.isDirectory(caller.path(context))) {
            throw new CommandException(
                    "BUILD_CONTEXT_ADDRESS",
                    STATUS,
                    "the context " + context
                            + " is an address, which is not fetched: clone it, and name the directory");
        }
        if (context.equals(STANDARD_INPUT)) {
            if (file != null) {
                throw CommandException.usage(
                        "-f has no meaning with the context -, which is a Dockerfile: leave one out");
            }
            return new BuildSources(input(caller), Optional.empty(), Optional.empty());
        }
        Path directory = caller.path(context);
        if (!Files.isDirectory(directory)) {
            throw new CommandException(
                    "BUILD_CONTEXT", STATUS, "the context " + context + " is no directory: name one, or - for none");
        }
        if (file != null && file.equals(STANDARD_INPUT)) {
            return new BuildSources(input(caller), Optional.of(directory), ignore(directory, Optional.empty()));
        }
        Path dockerfile = file == null ? directory.resolve("Dockerfile") : caller.path(file);
        String shown = file == null ? (context.equals(".") ? "Dockerfile" : context + "/Dockerfile") : file;
        return new BuildSources(
                Source.read(shown, dockerfile), Optional.of(directory), ignore(directory, Optional.of(dockerfile)));
    }

    private static Source input(Caller caller) {
        try {
            byte[] bytes = caller.input().readNBytes(Source.MAX_BYTES + 1);
            if (bytes.length > Source.MAX_BYTES) {
                throw new CommandException(
                        "BUILD_DOCKERFILE",
                        STATUS,
                        "standard input holds more than a Dockerfile: name a directory as context");
            }
            if (looksLikeArchive(bytes)) {
                throw new CommandException(
                        "BUILD_CONTEXT_ARCHIVE",
                        STATUS,
                        "standard input is an archive, which is not taken as a context: unpack it, and name the directory");
            }
            return Source.of("Dockerfile", bytes);
        } catch (IOException e) {
            throw new CommandException("BUILD_DOCKERFILE", STATUS, "standard input cannot be read: " + e.getMessage());
        }
    }

    private static boolean looksLikeArchive(byte[] bytes) {
        for (byte one : bytes) {
            if (one == 0) {
                return true;
            }
        }
        return false;
    }

    /// A Dockerfile's own patterns come before those of the directory.
    private static Optional<Source> ignore(Path directory, Optional<Path> dockerfile) {
        Optional<Path> own = dockerfile.map(file -> file.resolveSibling(file.getFileName() + ".dockerignore"));
        if (own.filter(Files::exists).isPresent()) {
            return own.map(file -> Source.read(file.getFileName().toString(), file));
        }
        Path common = directory.resolve(".dockerignore");
        return Files.exists(common) ? Optional.of(Source.read(".dockerignore", common)) : Optional.empty();
    }
}
