package dev.caisson.cli.caller;

import dev.caisson.linux.Terminal;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file that a command reads from its beginning to its end. `-` is standard input, which is no terminal.
public final class InputFile {
    private static final int FAILED = 1;

    private InputFile() {}

    /// Opens a file.
    /// @param text path, or `-`
    /// @param option what to give in place of standard input
    /// @throws CommandException INPUT_TERMINAL, FILE_NOT_READ
    public static InputStream open(String text, String option) {
        if (text.equals("-")) {
            return input(option);
        }
        Path path = Caller.current().path(text);
        try {
            if (Files.isDirectory(path)) {
                throw new IOException("it is a directory");
            }
            return Files.newInputStream(path);
        } catch (IOException e) {
            throw new CommandException(
                    "FILE_NOT_READ", FAILED, OneLine.of(text) + " cannot be read: " + NamedFile.reason(e), e);
        }
    }

    /// Returns what messages call it.
    public static String shown(String text) {
        return text.equals("-") ? "standard input" : text;
    }

    private static InputStream input(String option) {
        Caller caller = Caller.current();
        if (Terminal.isTerminal(caller.descriptor(0))) {
            throw new CommandException(
                    "INPUT_TERMINAL",
                    FAILED,
                    "an archive is not read from a terminal: give " + option + ", or redirect the input");
        }
        return new FilterInputStream(caller.input()) {
            @Override
            public int read(byte[] bytes, int at, int count) throws IOException {
                return in.read(bytes, at, count);
            }

            @Override
            public void close() {
                // the caller's
            }
        };
    }
}
