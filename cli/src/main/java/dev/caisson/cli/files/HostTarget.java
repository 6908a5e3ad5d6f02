package dev.caisson.cli.files;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.HostPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Paths of the host that a copy names. Links in them are the user's, and are followed.
final class HostTarget {
    private static final int MOST_LINKS = 40;

    /// The kind of file at a path.
    enum Kind {
        NONE,
        DIRECTORY,
        OTHER
    }

    private HostTarget() {}

    /// Returns an absolute path, without `.` and `..`.
    static Path absolute(CopyOperand operand) {
        return Caller.current()
                .absolute(HostPath.of(operand.path()))
                .orElseThrow(() -> CopyOperand.failure(
                        "COPY_SOURCE",
                        operand.text(),
                        "is relative, and the working directory is gone: give an absolute path"))
                .normalize();
    }

    static Kind kind(Path path, boolean followed) {
        LinkOption[] options = followed ? new LinkOption[0] : new LinkOption[] {LinkOption.NOFOLLOW_LINKS};
        if (Files.isDirectory(path, options)) {
            return Kind.DIRECTORY;
        }
        return Files.exists(path, options) ? Kind.OTHER : Kind.NONE;
    }

    /// Returns where a file is written that is named `path`: at the end of links, also of one that leads nowhere yet.
    static Path behindLinks(Path path) throws IOException {
        Path at = path;
        for (int links = 0; Files.isSymbolicLink(at); links++) {
            if (links == MOST_LINKS) {
                throw new IOException(path + " has too many levels of symbolic links");
            }
            at = at.resolveSibling(Files.readSymbolicLink(at)).normalize();
        }
        return at;
    }
}
