package dev.caisson.cli.caller;

import dev.caisson.linux.ByteText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Arguments and variables of this process as the bytes that they are. The JVM decodes them as UTF-8, with U+FFFD for
/// what is not; those are read again from proc.
public final class CallerText {
    private static final char REPLACEMENT = '\uFFFD';

    private CallerText() {}

    /// Returns the arguments with their bytes, which the JVM may have lost.
    /// @param decoded by the JVM
    public static String[] arguments(String... decoded) {
        if (Arrays.stream(decoded).noneMatch(word -> word.indexOf(REPLACEMENT) >= 0)) {
            return decoded;
        }
        List<byte[]> all = texts("/proc/self/cmdline");
        List<byte[]> own = all.subList(Math.max(0, all.size() - decoded.length), all.size());
        if (!own.stream().map(CallerText::lossy).toList().equals(List.of(decoded))) {
            throw new CommandException(
                    "ARGUMENTS_UNREADABLE",
                    CommandException.ENGINE_FAILED,
                    "an argument is not UTF-8, and the process's command line has other words: give it in UTF-8");
        }
        return own.stream().map(ByteText::of).toArray(String[]::new);
    }

    /// Returns a variable of the environment.
    static Optional<String> variable(String name) {
        String value = System.getenv(name);
        if (ByteText.isUtf8(name) && (value == null || value.indexOf(REPLACEMENT) < 0)) {
            return Optional.ofNullable(value);
        }
        String start = name + "=";
        return texts("/proc/self/environ").stream()
                .map(ByteText::of)
                .filter(text -> text.startsWith(start))
                .map(text -> text.substring(start.length()))
                .findFirst();
    }

    private static String lossy(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /// Returns what stands before each NUL of a file.
    private static List<byte[]> texts(String file) {
        byte[] content;
        try {
            content = Files.readAllBytes(Path.of(file));
        } catch (IOException e) {
            throw new CommandException(
                    "PROC_UNREADABLE",
                    CommandException.ENGINE_FAILED,
                    file + " cannot be read, which has the bytes that are not UTF-8: mount proc",
                    e);
        }
        var texts = new ArrayList<byte[]>();
        int start = 0;
        for (int at = 0; at < content.length; at++) {
            if (content[at] == 0) {
                texts.add(Arrays.copyOfRange(content, start, at));
                start = at + 1;
            }
        }
        return texts;
    }
}
