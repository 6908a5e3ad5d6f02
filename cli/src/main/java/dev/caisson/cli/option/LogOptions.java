package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.LogFiles;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.LimitException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Options for the place and the size of a container's log, in Docker's words.
final class LogOptions {
    private @Nullable String driver;
    private List<String> settings = List.of();

    /// Adds the options to a command.
    LogOptions(OptionList options) {
        options.text(
                        "--log-driver",
                        "DRIVER",
                        "json-file (default): files that stay until 'caisson rm'; none: memory, until nothing of the container is left to start.",
                        value -> driver = value)
                .texts(
                        "--log-opt",
                        "KEY=VALUE",
                        "max-size=SIZE of a file (10m; 256k in memory), max-file=COUNT of them (3; 4 in memory).",
                        value -> settings = value);
    }

    LogFiles files() {
        LogFiles files = switch (driver == null ? "json-file" : driver) {
            case "json-file" -> LogFiles.STANDARD;
            case "none" -> LogFiles.IN_MEMORY;
            default ->
                throw CommandException.refused(
                        "--log-driver " + driver,
                        "a log is files of Docker's json-file format, which collectors read: give json-file, or"
                                + " none to keep nothing on the disk");
        };
        Bytes most = files.most();
        int count = files.count();
        for (String setting : settings) {
            String[] pair = OptionText.pair("--log-opt", setting);
            switch (pair[0]) {
                case "max-size" -> most = size(setting, pair[1]);
                case "max-file" -> count = number(setting, pair[1]);
                default ->
                    throw CommandException.refused(
                            "--log-opt " + setting, "a log has max-size and max-file: leave it out");
            }
        }
        try {
            return new LogFiles(files.place(), most, count); // what one alone would exceed, both together may not
        } catch (ArgumentException e) {
            throw CommandException.refused("--log-opt", e.sentence());
        }
    }

    private static Bytes size(String setting, String text) {
        try {
            return Bytes.parse(text);
        } catch (LimitException e) {
            throw CommandException.refused("--log-opt " + setting, e.sentence());
        }
    }

    private static int number(String setting, String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw CommandException.refused("--log-opt " + setting, "give a number of files");
        }
    }
}
