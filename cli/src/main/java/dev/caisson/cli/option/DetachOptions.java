package dev.caisson.cli.option;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.DetachedOptions;
import dev.caisson.engine.LogFiles;
import dev.caisson.engine.RestartPolicy;
import dev.caisson.linux.Terminal;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// The options of a container that outlives its command, in Docker's words.
public final class DetachOptions {
    private static final int SHORT_ROWS = 24;
    private static final int SHORT_COLUMNS = 80;

    private final CommandSpec command;
    private boolean detached;
    private @Nullable String restart;
    private @Nullable String containerIdFile;
    private @Nullable Path idFile;
    private @Nullable String lease;
    private final HealthOptions health;
    private final LogOptions log;

    /// Adds the options to a command.
    /// @param always whether the command makes no other containers
    public DetachOptions(CommandSpec command, boolean always) {
        this.command = command;
        this.detached = always;
        var options = new OptionList(command);
        if (!always) {
            options.flag(
                    "-d, --detach",
                    "Let it run in the background and print its id; 'caisson logs', 'stop' and 'rm' find it.",
                    value -> detached = value);
        }
        options.text(
                        "--restart",
                        "POLICY",
                        "Start it again after its end: no (default), on-failure[:COUNT], unless-stopped, always; with -d.",
                        value -> restart = value)
                .text("--cidfile", "FILE", "Write its id to a new file.", value -> containerIdFile = value)
                .text(
                        "--lease",
                        "DURATION",
                        "End and remove it unless 'caisson renew' is called in time: 10m; with -d.",
                        value -> lease = value);
        health = new HealthOptions(command);
        log = new LogOptions(options);
    }

    public boolean isDetached() {
        if (!detached) {
            health.requireUnset();
            requireUnset("--restart", restart);
            requireUnset("--lease", lease);
        }
        return detached;
    }

    /// Returns true if its log is another one than a container in the foreground leaves.
    public boolean hasOwnLog() {
        return !log.files().equals(LogFiles.STANDARD);
    }

    private static void requireUnset(String option, @Nullable String value) {
        if (value != null && !(option.equals("--restart") && value.equals("no"))) {
            throw CommandException.refused(option, "a container in the foreground ends with this command: add -d");
        }
    }

    /// Refuses what is meant for a program in the foreground.
    public DetachedOptions options(boolean remove) {
        if (command.commandLine().getParseResult().hasMatchedOption("--output-limit")) {
            throw CommandException.refused(
                    "--output-limit", "the log of a container in the background is bounded by itself: leave it out");
        }
        DetachedOptions options = DetachedOptions.STANDARD
                .removedAtEnd(remove)
                .health(health.check())
                .log(log.files());
        if (restart != null) {
            options = options.restart(RestartPolicy.parse(restart));
        }
        return lease == null ? options : options.lease(lease("--lease", lease));
    }

    public static Duration lease(String option, String text) {
        return OptionText.duration(option, text);
    }

    /// One with a terminal gets the size of ours, or a usual one.
    public static ContainerSpec withTerminal(ContainerSpec spec, boolean terminal) {
        if (!terminal) {
            return spec;
        }
        return spec.terminal(Terminal.size(Caller.current().descriptor(1))
                .map(size -> new dev.caisson.spec.TerminalSize(size.rows(), size.columns()))
                .orElseGet(() -> new dev.caisson.spec.TerminalSize(SHORT_ROWS, SHORT_COLUMNS)));
    }

    /// Finds the file for the id, and refuses one that is there, before anything is made. In the command's thread.
    public void prepare() {
        if (containerIdFile == null) {
            return;
        }
        Path file = Caller.current().path(containerIdFile);
        if (Files.exists(file)) {
            throw CommandException.refused(
                    "--cidfile " + containerIdFile,
                    "container ID file found, make sure the other container isn't running or delete it");
        }
        idFile = file;
    }

    /// Writes the id to the file that [#prepare] found, in any thread.
    public void write(ContainerId id) {
        Path file = idFile;
        if (file == null) {
            return;
        }
        try {
            Files.writeString(file, id.value(), StandardOpenOption.CREATE_NEW);
        } catch (IOException e) {
            throw CommandException.refused(
                    "--cidfile " + containerIdFile, "it cannot be written (" + e.getMessage() + ")");
        }
    }
}
