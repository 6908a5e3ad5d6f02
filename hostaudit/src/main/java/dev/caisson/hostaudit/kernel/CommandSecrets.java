package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.secrets.Variables;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Tells which secrets stand where every process of the machine can read them: in a command line, or in the environment
/// that somebody entered a container with. Values are never kept.
public final class CommandSecrets {
    /// A process may give itself a command line of any length.
    private static final int MOST_BYTES = 16 * 1024;
    private static final int MOST_TOLD = 8;

    private CommandSecrets() {}

    /// Names the secrets of a process.
    ///
    /// @param entered true if its environment came from outside, not from the engine's record
    public static List<String> of(long pid, boolean entered) {
        Set<String> found = new TreeSet<>();
        Variables.secretsOf(String.join(" ", Variables.arguments(words(pid, "cmdline"))))
                .forEach(what -> found.add(Variables.onCommandLine(what)));
        if (entered) {
            words(pid, "environ").stream()
                    .filter(Variables::holdsSecret)
                    .map(variable -> "variable " + variable.split("=", 2)[0] + " of process " + pid)
                    .forEach(found::add);
        }
        return found.stream()
                .limit(MOST_TOLD)
                .map(what -> Excerpt.of(what, 200))
                .toList();
    }

    private static List<String> words(long pid, String name) {
        try (InputStream in = Files.newInputStream(Proc.of(pid).resolve(name))) {
            String text = new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
            return new ArrayList<>(Stream.of(text.split("\0", -1))
                    .filter(word -> !word.isEmpty())
                    .toList());
        } catch (IOException e) {
            // it has ended, or is not to be looked at
            return List.of();
        }
    }
}
