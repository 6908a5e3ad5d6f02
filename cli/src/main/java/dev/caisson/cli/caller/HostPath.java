package dev.caisson.cli.caller;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.TypeConversionException;

/// A path of the host that an option names.
public final class HostPath {
    private HostPath() {}

    /// Converts an option's value for picocli, which names the option.
    public static Path convert(String text) {
        try {
            return of(text);
        } catch (CommandException e) {
            throw new TypeConversionException(e.sentence());
        }
    }

    /// Returns a path of the host.
    /// @throws CommandException if the JVM cannot hold its bytes
    public static Path of(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            if (text.indexOf('\0') >= 0) {
                throw e; // no argument holds that: each caller has its own word for what is no path
            }
            throw new CommandException(
                    "PATH_NOT_UTF8",
                    CommandException.ENGINE_FAILED,
                    "the path " + OneLine.of(text)
                            + " is not UTF-8: rename it, or mount it at a path that is, with mount --bind",
                    e);
        }
    }
}
