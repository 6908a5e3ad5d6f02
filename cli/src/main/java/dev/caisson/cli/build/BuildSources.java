package dev.caisson.cli.build;

import dev.caisson.build.ArchiveContext;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Source;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The Dockerfile and the directory that a build is given.
///
/// @param ignore the patterns of what it does not see of the directory
/// @param archive that the directory was unpacked from
record BuildSources(
        Source dockerfile, Optional<Path> context, Optional<Source> ignore, Optional<ArchiveContext> archive)
        implements AutoCloseable {
    BuildSources(Source dockerfile, Optional<Path> context, Optional<Source> ignore) {
        this(dockerfile, context, ignore, Optional.empty());
    }

    private static final Pattern ADDRESS =
            Pattern.compile("(?:https?|git|ssh)://.*|git@.*|.*\\.git(?:#.*)?|github\\.com/.*");
    private static final String STANDARD_INPUT = "-";
    private static final int STATUS = 125;
    private static final int HEAD = 512;
    private static final List<String> COMPRESSED = List.of("\u001f\u008b", "BZh", "\u00fd7zXZ", "(\u00b5/\u00fd");

    static BuildSources of(Caller caller, String context, @Nullable String file) {
        if (ADDRESS.matcher(context).matches() && !Files.isDirectory(caller.path(context))) {
            throw new CommandException(
                    "BUILD_CONTEXT_ADDRESS",
                    STATUS,
                    "the context " + context
                            + " is an address, which is not fetched: clone it, and name the directory");
        }
        if (context.equals(STANDARD_INPUT)) {
            return ofInput(caller, file);
        }
        Path directory = caller.path(context);
        if (!Files.isDirectory(directory)) {
            throw new CommandException(
                    "BUILD_CONTEXT",
                    STATUS,
                    "the context " + context + " is no directory: "
                            + (Files.isRegularFile(directory)
                                    ? "name its directory, and the file by -f"
                                    : "name one, or - for none"));
        }
        if (file != null && file.equals(STANDARD_INPUT)) {
            return new BuildSources(input(caller), Optional.of(directory), ignore(directory, Optional.empty()));
        }
        Path dockerfile = file == null ? directory.resolve("Dockerfile") : caller.path(file);
        String shown = file == null ? (context.equals(".") ? "Dockerfile" : context + "/Dockerfile") : file;
        Source source = find(shown, directory, dockerfile)
                .orElseThrow(() -> new CommandException(
                        "BUILD_DOCKERFILE",
                        STATUS,
                        "there is no file " + OneLine.of(shown)
                                + ": name the Dockerfile by -f, or the directory that has it"));
        return new BuildSources(source, Optional.of(directory), ignore(directory, Optional.of(dockerfile)));
    }

    /// Reads a file of the build. One of the context is read as those that are copied are, so that a link in the
    /// context shows no other file of this machine.
    private static Optional<Source> find(String shown, Path directory, Path file) {
        Optional<Path> below = below(directory, file);
        if (below.isEmpty()) {
            return Files.exists(file) ? Optional.of(Source.read(shown, file)) : Optional.empty();
        }
        if (!isThere(directory, below.get()) && !isThere(Path.of("/"), file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Source.readBelow(shown, directory, below.get()));
        } catch (ContainerFileException e) {
            if (e.error() != FileError.FILE_MISSING) {
                throw e;
            }
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new CommandException(
                        "BUILD_DOCKERFILE",
                        STATUS,
                        OneLine.of(shown)
                                + " is a link that leads to no file of the context: put the file itself there,"
                                + " or name one outside of the context by -f");
            }
            return Optional.empty();
        }
    }

    /// Returns true if there is something at a path, a link to nothing too, for whoever has the directory as `/`.
    private static boolean isThere(Path directory, Path path) {
        try (Fd root = FileSystem.open(directory.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            Optional<Fd> found = FileSystem.find(
                    root, path.toString(), FileSystem.O_PATH | FileSystem.O_NOFOLLOW, FileSystem.RESOLVE_IN_ROOT);
            found.ifPresent(Fd::close);
            return found.isPresent();
        } catch (ErrnoException e) {
            return true; // whoever reads it says what is wrong
        }
    }

    /// Returns the path of a file in the context, whose links are not followed; empty if it is named outside of it.
    private static Optional<Path> below(Path directory, Path file) {
        if (file.startsWith(directory) && !hasStepUp(directory.relativize(file))) {
            return Optional.of(directory.relativize(file));
        }
        try {
            Path context = directory.toRealPath();
            for (int count = 0; count < file.getNameCount(); count++) {
                Path above = above(file, count);
                Path real = above.toRealPath();
                Path rest = file.subpath(count, file.getNameCount());
                if (real.startsWith(context) && !hasStepUp(rest)) {
                    return Optional.of(context.relativize(real).resolve(rest));
                }
            }
        } catch (IOException e) {
            return Optional.empty(); // whoever reads it says what is wrong
        }
        return Optional.empty();
    }

    private static boolean hasStepUp(Path path) {
        for (Path name : path) {
            if (name.toString().equals("..")) {
                return true;
            }
        }
        return false;
    }

    /// Returns the root or the directory that a path begins at, with some of the names behind it.
    private static Path above(Path file, int names) {
        Path root = file.isAbsolute()
                ? file.getFileSystem().getPath("/")
                : file.getFileSystem().getPath("");
        return names <= 0 ? root : root.resolve(file.subpath(0, names));
    }

    /// A Dockerfile, or an archive that has one.
    private static BuildSources ofInput(Caller caller, @Nullable String file) {
        byte[] start = start(caller);
        if (isArchive(start)) {
            var all = new SequenceInputStream(new ByteArrayInputStream(start), caller.input());
            return inArchive(ArchiveContext.open(all, "standard input", caller.directories()), file);
        }
        if (file != null) {
            throw CommandException.usage("-f has no meaning with the context -, which is a Dockerfile: leave one out");
        }
        return new BuildSources(dockerfile(start), Optional.empty(), Optional.empty());
    }

    private static BuildSources inArchive(ArchiveContext archive, @Nullable String file) {
        try {
            String name = file == null ? "Dockerfile" : file;
            Source dockerfile = archive.read(name)
                    .orElseThrow(() -> new CommandException(
                            "BUILD_DOCKERFILE",
                            STATUS,
                            "the archive has no file " + OneLine.of(name) + ": name one of its files by -f"));
            Optional<Source> ignore = archive.read(name + ".dockerignore").or(() -> archive.read(".dockerignore"));
            return new BuildSources(dockerfile, Optional.of(archive.directory()), ignore, Optional.of(archive));
        } catch (RuntimeException e) {
            archive.close();
            throw e;
        }
    }

    private static Source input(Caller caller) {
        byte[] bytes = start(caller);
        if (isArchive(bytes)) {
            throw new CommandException(
                    "BUILD_DOCKERFILE",
                    STATUS,
                    "standard input is no Dockerfile: give -f one, or name - as the context");
        }
        return dockerfile(bytes);
    }

    private static Source dockerfile(byte[] bytes) {
        if (bytes.length > Source.MAX_BYTES) {
            throw new CommandException(
                    "BUILD_DOCKERFILE",
                    STATUS,
                    "standard input holds more than a Dockerfile: name a directory as context");
        }
        return Source.of("Dockerfile", bytes);
    }

    /// Reads as much as a Dockerfile may have, and one byte more.
    private static byte[] start(Caller caller) {
        try {
            return caller.input().readNBytes(Source.MAX_BYTES + 1);
        } catch (IOException e) {
            throw new CommandException("BUILD_DOCKERFILE", STATUS, "standard input cannot be read: " + e.getMessage());
        }
    }

    /// A tar archive has NULs; one that is compressed begins as gzip, bzip2, xz or zstd.
    private static boolean isArchive(byte[] bytes) {
        String text = new String(bytes, 0, Math.min(bytes.length, HEAD), StandardCharsets.ISO_8859_1);
        return text.indexOf('\0') >= 0 || COMPRESSED.stream().anyMatch(text::startsWith);
    }

    /// A Dockerfile's own patterns come before those of the directory.
    private static Optional<Source> ignore(Path directory, Optional<Path> dockerfile) {
        return dockerfile
                .map(file -> file.resolveSibling(file.getFileName() + ".dockerignore"))
                .flatMap(own -> find(String.valueOf(own.getFileName()), directory, own))
                .or(() -> find(".dockerignore", directory, directory.resolve(".dockerignore")));
    }

    @Override
    public void close() {
        archive.ifPresent(ArchiveContext::close);
    }
}
