package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.seccomp.LearnedProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Reports what a run under `--seccomp-mode learn` leaves: a file with the profile, and what it opens
/// beside the given one.
public final class LearnedText {
    private LearnedText() {}

    /// Before the run, which may take long.
    /// @param option by which the file is named
    public static void requireWritable(Path file, String option) {
        Path located = located(file);
        Path parent = located.toAbsolutePath().getParent();
        boolean writable = Files.exists(located)
                ? Files.isWritable(located) && !Files.isDirectory(located)
                : parent != null && Files.isDirectory(parent) && Files.isWritable(parent);
        if (!writable) {
            throw refused(file, "choose another place with " + option + " FILE");
        }
    }

    private static Path located(Path file) {
        return Caller.current().path(file.toString());
    }

    static void write(LearnedProfile learned, Path file) {
        try {
            Files.writeString(located(file), learned.profile().toJson());
        } catch (IOException e) {
            throw refused(file, OneLine.of(e.getMessage()));
        }
    }

    private static CommandException refused(Path file, String why) {
        return new CommandException(
                "FILE_REFUSED",
                CommandException.ENGINE_FAILED,
                OneLine.of(file + " cannot be written for the profile: " + why));
    }

    static List<String> lines(LearnedProfile learned, Path file) {
        var lines = new ArrayList<String>();
        String name = OneLine.of(file.toString());
        if (learned.added().isEmpty()) {
            lines.add("caisson: learned: the profile denied nothing that it could allow; " + name + " is the same");
        } else {
            lines.add("caisson: learned: " + name + " allows, beside what the profile does:");
            learned.added().forEach(added -> lines.add("caisson:   " + added));
        }
        if (!learned.missing().isEmpty()) {
            lines.add("caisson: learned: answered as missing, and not added: " + String.join(" ", learned.missing()));
        }
        learned.refused().forEach(call -> lines.add("caisson: learned: still denied: " + call));
        return lines;
    }
}
