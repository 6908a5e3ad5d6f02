package dev.caisson.secret;

import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Whatever unwraps the identity of a store. Which one a store has is kept in its file `unlocker`.
public sealed interface Unlocker {
    /// A file with an age identity, which its owner alone may read.
    /// @param path absolute
    record KeyFile(Path path) implements Unlocker {
        /// @throws SecretException SECRET_INVALID
        public KeyFile {
            if (!path.isAbsolute()) {
                throw SecretException.invalid("the key file " + path + " is a relative path: give an absolute one");
            }
        }
    }

    /// A passphrase that is asked for each time.
    record Passphrase() implements Unlocker {}

    /// A program that prints an age identity, as one that asks a TPM or a key service.
    /// @param command the program, absolute, and its arguments
    record Command(List<String> command) implements Unlocker {
        /// @throws SecretException SECRET_INVALID
        public Command {
            command = List.copyOf(command);
            if (command.isEmpty() || !Path.of(command.getFirst()).isAbsolute()) {
                throw SecretException.invalid(
                        "the unlocking command does not begin with an absolute path: give one, as /usr/bin/systemd-creds");
            }
        }
    }

    /// Asks for a passphrase.
    @FunctionalInterface
    interface Prompt {
        /// Returns the passphrase, which the store clears; nothing if there is nobody to ask.
        Optional<SecretValue> ask();
    }

    /// Returns the fields that the store keeps.
    default Map<String, Object> fields() {
        return switch (this) {
            case KeyFile file -> Map.of("keyFile", file.path().toString());
            case Passphrase passphrase -> Map.of("passphrase", true);
            case Command program -> Map.of("command", program.command());
        };
    }

    /// Reads what [#fields] gave.
    /// @throws SecretException SECRET_TAMPERED
    static Unlocker parse(byte[] json) {
        try {
            if (Json.parse(json, new Json.Limits(64 * 1024, 3, 1000)) instanceof Map<?, ?> map && map.size() == 1) {
                return read(Json.members(map)).orElseThrow(Unlocker::malformed);
            }
        } catch (MalformedJsonException e) {
            throw malformed();
        }
        throw malformed();
    }

    private static Optional<Unlocker> read(Map<String, @Nullable Object> fields) {
        if (fields.get("keyFile") instanceof String path) {
            return Optional.of(new KeyFile(Path.of(path)));
        }
        if (fields.get("command") instanceof List<?> words) {
            return Optional.of(new Command(words.stream().map(String::valueOf).toList()));
        }
        return Boolean.TRUE.equals(fields.get("passphrase")) ? Optional.of(new Passphrase()) : Optional.empty();
    }

    private static SecretException malformed() {
        return SecretException.tampered("the store's file unlocker is not as it was written: restore it from a backup");
    }
}
