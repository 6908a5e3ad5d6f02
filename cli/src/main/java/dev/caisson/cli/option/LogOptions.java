package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.LogFiles;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.LimitException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where the log of a container is kept, in Docker's words.
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
        for (String setting : settings) {
            files = with(files, setting);
        }
        return files;
    }

    private static LogFiles with(LogFiles files, String setting) {
        String[] pair = OptionText.pair("--log-opt", setting);
        try {
            return switch (pair[0]) {
                case "max-size" -> files.most(Bytes.parse(pair[1]));
                case "max-file" -> files.count(Integer.parseInt(pair[1]));
                default ->
                    throw CommandException.refused(
                            "--log-opt " + setting, "a log has max-size and max-file: leave it out");
            };
        } catch (NumberFormatException e) {
            throw CommandException.refused("--log-opt " + setting, "it is no number of files");
        } catch (LimitException | ArgumentException e) {
            throw CommandException.refused("--log-opt " + setting, e.sentence());
        }
    }
}
