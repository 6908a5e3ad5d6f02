package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// Options of a command that runs a container in the foreground: the streams and signals that it passes on, and
/// the keys that leave it.
public final class AttachOptions {
    public enum Stream {
        STDIN,
        STDOUT,
        STDERR
    }

    private List<String> given = List.of();
    private boolean passesSignals = true;
    private @Nullable String keys;

    public AttachOptions(CommandSpec command) {
        new OptionList(command)
                .texts(
                        "-a, --attach",
                        "STREAM",
                        "Attach only stdin, stdout or stderr (default: all); what is not attached is logged alone.",
                        value -> given = value)
                .flag(
                        "--sig-proxy",
                        "Pass signals on (default: true); with =false they end this command, and it runs on.",
                        value -> passesSignals = value)
                .text(
                        "--detach-keys",
                        "KEYS",
                        "Keys that leave it running, with -it: ctrl-p,ctrl-q.",
                        value -> keys = value);
    }

    /// Refuses what contradicts the other options, before anything is made.
    public void require(RunOptions options, boolean detached) {
        if (detached && (!given.isEmpty() || !passesSignals || keys != null)) {
            throw CommandException.refused(
                    !given.isEmpty() ? "--attach" : passesSignals ? "--detach-keys" : "--sig-proxy",
                    "conflicting options: -d leaves nothing attached; give it to 'caisson attach'");
        }
        Set<Stream> streams = streams();
        if (!given.isEmpty() && options.interactive() != streams.contains(Stream.STDIN)) {
            throw CommandException.refused("--attach", "-a stdin and -i belong together: give both or neither");
        }
        if (options.terminal() && !given.isEmpty() && !streams.contains(Stream.STDOUT)) {
            throw CommandException.refused("--attach", "a terminal (-t) is its output: add -a stdout");
        }
        if (keys != null) {
            DetachKeys.parse(keys);
            if (!options.terminal() || !options.interactive()) {
                throw CommandException.refused("--detach-keys", "keys are read from a terminal: add -it");
            }
        }
    }

    /// Returns whether the container may outlive the command, so that something else must keep it.
    public boolean mayBeLeft() {
        return keys != null || !passesSignals;
    }

    public boolean passesSignals() {
        return passesSignals;
    }

    public DetachKeys keys() {
        String text = keys;
        return DetachKeys.parse(text == null ? DetachKeys.USUAL : text);
    }

    public Set<Stream> streams() {
        if (given.isEmpty()) {
            return EnumSet.allOf(Stream.class);
        }
        Set<Stream> streams = EnumSet.noneOf(Stream.class);
        for (String name : given) {
            streams.add(stream(name));
        }
        return streams;
    }

    private static Stream stream(String name) {
        for (Stream stream : Stream.values()) {
            if (stream.name().toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT))) {
                return stream;
            }
        }
        throw CommandException.usage("--attach takes stdin, stdout or stderr, not '" + name + "'");
    }
}
