package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.secret.Unlocker;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options that say what unlocks a store.
final class UnlockerOptions {
    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description =
                    "Age identity that unlocks the store; made if it does not exist (default of init: /etc/caisson/secrets.key).")
    private @Nullable Path keyFile;

    @Option(
            names = "--passphrase",
            description =
                    "Passphrase that is asked for each time the store is used, or once by 'caisson secret unlock'.")
    private boolean passphrase;

    @Option(
            names = "--unlock-command",
            paramLabel = "COMMAND",
            description = "Program, with an absolute path, and arguments, split at spaces; it prints an age identity.")
    private @Nullable String command;

    @Option(names = "--same-disk", description = "Accept a key file on the file system of the store.")
    private boolean sameDisk;

    boolean sameDisk() {
        return sameDisk;
    }

    /// Returns the one that was named, if any.
    /// @throws CommandException if several were
    Optional<Unlocker> chosen() {
        int given = (keyFile == null ? 0 : 1) + (passphrase ? 1 : 0) + (command == null ? 0 : 1);
        if (given > 1) {
            throw CommandException.usage("a store has one of --key-file, --passphrase and --unlock-command: give one");
        }
        if (passphrase) {
            return Optional.of(new Unlocker.Passphrase());
        }
        if (command != null) {
            return Optional.of(new Unlocker.Command(List.of(command.strip().split("\\s+"))));
        }
        return Optional.ofNullable(keyFile)
                .map(key -> new Unlocker.KeyFile(Caller.current().absolute(key).orElse(key)));
    }
}
