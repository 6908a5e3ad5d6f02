package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HiddenLine;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The caller's store of secrets: where it is, how it is unlocked, and who is named in its log.
public final class Stores {
    private static final String PASSPHRASE_FILE = "CAISSON_SECRET_PASSPHRASE_FILE";
    private static final String NEW_PASSPHRASE_FILE = "CAISSON_SECRET_NEW_PASSPHRASE_FILE";
    private static final int LONGEST_PASSPHRASE = 4096;

    private Stores() {}

    /// Returns the directory of the store, below the caller's data directory.
    public static Path directory() {
        return directory(Caller.current().directories().data());
    }

    static Path directory(Path data) {
        return data.resolve(SecretStore.DIRECTORY);
    }

    /// Opens the caller's store, asking for a passphrase if it has one.
    public static SecretStore open() {
        return SecretStore.open(directory(), Stores::passphrase);
    }

    /// Reads the passphrase from the file that a variable names, or asks for it.
    static Optional<SecretValue> passphrase() {
        Optional<SecretValue> inFile = passphraseFile(PASSPHRASE_FILE);
        return inFile.isPresent()
                ? inFile
                : HiddenLine.ask("Passphrase of the store: ").map(Stores::value);
    }

    /// Asks for a new passphrase, twice at a terminal.
    static Optional<SecretValue> newPassphrase() {
        Optional<SecretValue> inFile = passphraseFile(NEW_PASSPHRASE_FILE).or(() -> passphraseFile(PASSPHRASE_FILE));
        return inFile.isPresent() ? inFile : twice("New passphrase of the store: ");
    }

    /// Asks for a value twice, as it is not seen.
    static Optional<SecretValue> twice(String prompt) {
        return HiddenLine.ask(prompt).map(first -> {
            byte[] second = HiddenLine.ask("The same again: ").orElse(new byte[0]);
            try {
                if (!Arrays.equals(first, second)) {
                    throw CommandException.usage("the two lines are not the same: try again");
                }
                return value(first);
            } finally {
                Arrays.fill(second, (byte) 0);
                Arrays.fill(first, (byte) 0);
            }
        });
    }

    private static Optional<SecretValue> passphraseFile(String variable) {
        return Caller.current()
                .variable(variable)
                .filter(name -> !name.isEmpty())
                .map(name -> {
                    try {
                        byte[] bytes = NamedFile.read(name, LONGEST_PASSPHRASE);
                        int end = bytes.length;
                        while (end > 0 && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r')) {
                            end--;
                        }
                        byte[] line = Arrays.copyOf(bytes, end);
                        Arrays.fill(bytes, (byte) 0);
                        return value(line);
                    } catch (IOException e) {
                        throw CommandException.usage(
                                variable + " names " + name + ", which was not read: " + NamedFile.reason(e));
                    }
                });
    }

    /// Moves the bytes into a value.
    static SecretValue value(byte[] bytes) {
        try {
            return SecretValue.of(bytes);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /// Returns who calls, for the log: what sudo says is not proven.
    public static String user() {
        return Caller.current()
                .variable("SUDO_USER")
                .filter(name -> name.matches("[A-Za-z0-9._-]{1,32}"))
                .map(name -> "root, by sudo of " + name)
                .orElse("root");
    }

    /// Finds a secret by its name, its id or the beginning of its id.
    static SecretRecord find(List<SecretRecord> all, String wanted) {
        Optional<SecretRecord> named = all.stream()
                .filter(secret -> secret.name().text().equals(wanted))
                .findFirst();
        if (named.isPresent()) {
            return named.get();
        }
        List<SecretRecord> found = all.stream()
                .filter(secret -> !wanted.isEmpty() && secret.id().startsWith(wanted))
                .toList();
        if (found.size() > 1) {
            throw CommandException.usage(wanted + " is the beginning of " + found.size() + " ids: give more of it");
        }
        if (found.isEmpty()) {
            throw new CommandException(
                    "SECRET_UNKNOWN", 1, "there is no secret " + wanted + ": 'caisson secret ls' lists them");
        }
        return found.getFirst();
    }
}
