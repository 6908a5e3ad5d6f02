package dev.caisson.build;

import dev.caisson.build.Selection.Item;
import dev.caisson.build.Selection.Top;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// Copies selected files into a directory of the host: one of the build's own, to be shown to a container, or
/// one that the caller named.
final class Staging {
    static final String OUTPUT = "BUILD_OUTPUT";
    private static final int BUFFER = 1 << 16;
    private static final int CREATE = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private Staging() {}

    /// @param to does not exist; its directory is the build's own
    static void copy(FileTree from, Top top, Path to) {
        try (Fd above = FileSystem.open(String.valueOf(to.getParent()), DIRECTORY)) {
            String name = String.valueOf(to.getFileName());
            for (Item item : top.items()) {
                one(from, item, above, FileTree.join(name, item.path()));
            }
        } catch (ErrnoException e) {
            throw Workplace.failed(e);
        }
    }

    /// Copies what is below a directory into one of the host. What is there stays, but for files and links in place of
    /// which a file or link is put.
    /// @param to is made if it is not there
    /// @throws BuildException BUILD_OUTPUT
    static void merge(FileTree from, Top top, Path to) {
        try {
            Files.createDirectories(to);
            try (Fd above = FileSystem.open(to.toString(), DIRECTORY)) {
                for (Item item : top.items()) {
                    if (!item.path().isEmpty()) {
                        makeRoom(above, item);
                        one(from, item, above, item.path());
                    }
                }
            }
        } catch (IOException e) {
            throw output("the directory of the output cannot be made (" + e.getMessage() + "): name another", e);
        } catch (ErrnoException e) {
            throw output(
                    "the output cannot be written (" + e.getMessage() + "): name another directory, or make room", e);
        }
    }

    /// Writes a text into a directory of the host; a file or link of its name is replaced.
    /// @throws BuildException BUILD_OUTPUT
    static void write(Path to, String name, String text) {
        try (Fd directory = FileSystem.open(to.toString(), DIRECTORY)) {
            Optional<FileStatus> there = FileSystem.findStatus(directory, name);
            if (there.filter(FileStatus::isDirectory).isPresent()) {
                throw new BuildException(
                        OUTPUT,
                        "the output has a directory " + name + ", where the statement of the build would go:"
                                + " remove it, or name another directory");
            }
            if (there.isPresent()) {
                FileSystem.removeFile(directory, name);
            }
            try (Fd made = FileSystem.openAt(directory, name, CREATE, 0644, BENEATH)) {
                FileSystem.write(made, text.getBytes(StandardCharsets.UTF_8));
            }
        } catch (ErrnoException e) {
            throw output(
                    "the output cannot be written (" + e.getMessage() + "): name another directory, or make room", e);
        }
    }

    /// Removes a file or link that has an item's name.
    private static void makeRoom(Fd above, Item item) {
        int slash = item.path().lastIndexOf('/');
        try (Fd parent =
                FileSystem.openAt(above, slash < 0 ? "." : item.path().substring(0, slash), DIRECTORY, 0, BENEATH)) {
            String name = item.path().substring(slash + 1);
            FileSystem.findStatus(parent, name).ifPresent(there -> {
                if (there.isDirectory() != item.node().status().isDirectory()) {
                    throw new BuildException(
                            OUTPUT,
                            "/" + item.path() + " of the image is "
                                    + (there.isDirectory() ? "no directory" : "a directory")
                                    + ", and the output has the other there: remove it, or name another directory");
                }
                if (!there.isDirectory()) {
                    FileSystem.removeFile(parent, name);
                }
            });
        }
    }

    private static BuildException output(String sentence, Exception cause) {
        return new BuildException(OUTPUT, null, sentence, cause);
    }

    private static void one(FileTree from, Item item, Fd above, String whole) {
        String path = whole.endsWith("/") ? whole.substring(0, whole.length() - 1) : whole;
        int slash = path.lastIndexOf('/');
        String directory = slash < 0 ? "." : path.substring(0, slash);
        String name = path.substring(slash + 1);
        FileStatus status = item.node().status();
        try (Fd parent = FileSystem.openAt(above, directory, DIRECTORY, 0, BENEATH)) {
            if (status.isDirectory()) {
                if (FileSystem.isDirectory(parent, name)) {
                    return;
                }
                FileSystem.makeDirectory(parent, name, 0700);
                try (Fd made = FileSystem.openAt(parent, name, DIRECTORY, 0, BENEATH)) {
                    finish(made, status);
                }
            } else if (status.isSymbolicLink()) {
                FileSystem.makeSymbolicLink(parent, name, item.link());
            } else {
                try (Fd source = from.open(item.node());
                        Fd made = FileSystem.openAt(parent, name, CREATE, 0600, BENEATH)) {
                    content(source, made);
                    finish(made, status);
                }
                Instant modified = status.modified();
                FileSystem.changeTime(parent, name, modified.getEpochSecond(), modified.getNano());
            }
        }
    }

    /// Files belong to whoever copies: no bit makes a program run as its owner.
    private static void finish(Fd made, FileStatus status) {
        FileSystem.changeMode(made, status.permissions() & 0777);
    }

    private static void content(Fd source, Fd made) {
        var buffer = new byte[BUFFER];
        long position = 0;
        for (int count = FileContent.readAt(source, buffer, position);
                count > 0;
                count = FileContent.readAt(source, buffer, position)) {
            FileContent.writeAt(made, buffer, 0, count, position);
            position += count;
        }
    }
}
