package dev.caisson.cli.caller;

import dev.caisson.linux.Terminal;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;

/// A file that a command writes: it has its name when it is complete, and only its owner may read it. `-` is
/// standard output, which is no terminal; a pipe or device is written as it is.
public final class OutputFile {
    /// Writes the content.
    @FunctionalInterface
    public interface Writing {
        void to(OutputStream out) throws IOException, InterruptedException;
    }

    private static final int FAILED = 1;
    private static final int BUFFER = 128 << 10;

    private OutputFile() {}

    /// Writes a file.
    /// @param text path, or `-`
    /// @throws CommandException OUTPUT_TERMINAL, FILE_NOT_WRITTEN
    public static void write(String text, Writing writing) throws InterruptedException {
        if (text.equals("-")) {
            output(writing);
            return;
        }
        Path path = Caller.current().path(text);
        try {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                try (OutputStream out = Files.newOutputStream(path, StandardOpenOption.WRITE)) {
                    buffered(out, writing);
                }
            } else {
                replaced(path, writing);
            }
        } catch (IOException e) {
            throw new CommandException(
                    "FILE_NOT_WRITTEN",
                    FAILED,
                    OneLine.of(text) + " cannot be written: " + NamedFile.reason(e) + "; give another file with -o",
                    e);
        }
    }

    private static void replaced(Path path, Writing writing) throws IOException, InterruptedException {
        Path partial = path.resolveSibling("." + path.getFileName() + "." + UUID.randomUUID() + ".partial");
        var options = Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try {
            try (OutputStream out = Channels.newOutputStream(Files.newByteChannel(partial, options, mode))) {
                buffered(out, writing);
            }
            Files.move(partial, path, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private static void output(Writing writing) throws InterruptedException {
        Caller caller = Caller.current();
        if (Terminal.isTerminal(caller.descriptor(1))) {
            throw new CommandException(
                    "OUTPUT_TERMINAL",
                    FAILED,
                    "an archive is not written to a terminal: give -o FILE, or redirect the output");
        }
        try {
            buffered(caller.output(), writing);
        } catch (IOException e) {
            throw caller.output()
                    .lost()
                    .<RuntimeException>map(lost -> lost)
                    .orElseGet(() -> new CommandException(
                            "FILE_NOT_WRITTEN", FAILED, "standard output cannot be written: " + e.getMessage(), e));
        }
    }

    private static void buffered(OutputStream to, Writing writing) throws IOException, InterruptedException {
        var buffered = new BufferedOutputStream(to, BUFFER);
        writing.to(buffered);
        buffered.flush();
    }
}
