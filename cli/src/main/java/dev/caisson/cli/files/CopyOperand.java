package dev.caisson.cli.files;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.cli.caller.OneLine;
import java.nio.file.Path;
import java.util.Optional;

/// One side of a copy: a path of the host, `-` for an archive, or `CONTAINER:PATH`. A path that begins with
/// `/` or `.` is of the host.
///
/// @param text as it was given
/// @param path behind the container's name
record CopyOperand(String text, Optional<String> container, String path) {
    static CopyOperand parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0 || text.startsWith("/") || text.startsWith(".")) {
            return new CopyOperand(text, Optional.empty(), text);
        }
        if (colon == 0) {
            throw failure("COPY_FORM", text, "has no container in front of the colon: give CONTAINER:PATH, or ./PATH");
        }
        if (colon == text.length() - 1) {
            throw failure("COPY_FORM", text, "has no path behind the colon: give CONTAINER:PATH, as " + text + "/");
        }
        return new CopyOperand(text, Optional.of(text.substring(0, colon)), text.substring(colon + 1));
    }

    boolean isArchive() {
        return container.isEmpty() && path.equals("-");
    }

    /// True if it can only be a directory: `dir/`, `dir/.`, `.`.
    boolean mustBeDirectory() {
        return path.endsWith("/") || isContents();
    }

    /// True if it stands for what a directory holds: `dir/.`, `.`, `/`.
    boolean isContents() {
        return path.endsWith("/.") || path.equals(".") || clean().getNameCount() == 0;
    }

    /// Returns the path of a container, absolute, without `.` and `..`.
    Path clean() {
        return HostPath.of("/").resolve(HostPath.of(path)).normalize();
    }

    static CommandException failure(String code, String subject, String what) {
        return new CommandException(code, FileCopy.FAILED, OneLine.of(subject) + " " + what);
    }
}
