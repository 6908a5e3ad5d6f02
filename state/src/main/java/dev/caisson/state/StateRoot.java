package dev.caisson.state;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The top of a state directory: root's alone, or none.
final class StateRoot {
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int PLACE = FileSystem.O_PATH | FileSystem.O_DIRECTORY;

    private StateRoot() {}

    /// Opens it, or makes it.
    /// @throws StateException STATE_UNSAFE, STATE_UNUSABLE
    static Fd open(Path path) {
        try {
            Path above = path.resolveSibling(".").normalize();
            Optional<Fd> there = FileSystem.find(above.toString(), PLACE);
            if (there.isEmpty()) {
                Files.createDirectories(above);
            }
            try (Fd parent = there.orElseGet(() -> FileSystem.open(above.toString(), PLACE))) {
                Fd root = FileSystem.openOrMakeDirectory(
                        parent, path.getFileName().toString(), 0700);
                FileStatus status = FileSystem.status(root);
                if (status.uid() != 0 || (status.permissions() & 077) != 0) {
                    root.close();
                    throw new StateException(
                            "STATE_UNSAFE",
                            path + " must belong to root and be closed to others: chown root " + path + "; chmod 700 "
                                    + path);
                }
                return root;
            }
        } catch (IOException | ErrnoException e) {
            throw unusable(path, e);
        }
    }

    /// Writes a file below it.
    ///
    /// @param flag O_TRUNC, or O_EXCL for one that must be new
    /// @throws StateException STATE_UNUSABLE if its file system is full
    static void write(Fd directory, String name, int flag, String text) {
        try (Fd file =
                FileSystem.openAt(directory, name, FileSystem.O_WRONLY | FileSystem.O_CREAT | flag, 0600, BENEATH)) {
            FileSystem.write(file, text.getBytes(StandardCharsets.UTF_8));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOSPC) || e.is(Errno.EDQUOT)) {
                throw new StateException(
                        "STATE_UNUSABLE",
                        "the state directory has no space left (" + e.getMessage()
                                + "): make room in its file system, /run on most hosts",
                        e);
            }
            throw e;
        }
    }

    /// Explains why it cannot be used.
    static StateException unusable(Path path, Exception problem) {
        String why = problem instanceof ErrnoException refused
                ? Errno.name(refused.errno())
                : String.valueOf(problem.getMessage());
        String advice = switch (why) {
            case "EROFS" ->
                "its file system is read-only: mount a tmpfs there, or name another directory with CAISSON_STATE";
            case "ENOSPC", "EDQUOT" ->
                "its file system is full: make room, or name another directory with CAISSON_STATE";
            case "EACCES", "EPERM" -> "run as root";
            default ->
                why.contains("Read-only")
                        ? "its file system is read-only: mount a tmpfs there, or name another directory with"
                                + " CAISSON_STATE"
                        : "run as root, or name another directory with CAISSON_STATE";
        };
        return new StateException(
                "STATE_UNUSABLE",
                "the state directory " + path + " cannot be used (" + problem.getMessage() + "): " + advice,
                problem);
    }
}
