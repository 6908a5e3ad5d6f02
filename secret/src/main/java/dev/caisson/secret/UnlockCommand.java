package dev.caisson.secret;

import dev.caisson.secret.SecretException.Code;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// A program that prints the age identity that unlocks a store.
final class UnlockCommand {
    private static final int MOST_PRINTED = 16 * 1024;

    private final List<String> command;
    private final Duration patience;

    UnlockCommand(List<String> command, Duration patience) {
        this.command = command;
        this.patience = patience;
    }

    /// Runs it.
    /// @throws SecretException SECRET_LOCKED
    Identity run() {
        var limits = new ProgramOutput.Limits(patience, MOST_PRINTED, Code.SECRET_LOCKED);
        try (ProgramOutput output = ProgramOutput.of(command, limits)) {
            Optional<Identity> identity =
                    output.status() == 0 ? output.printed().flatMap(Identity::parse) : Optional.empty();
            return identity.orElseThrow(() -> new SecretException(
                    Code.SECRET_LOCKED,
                    command.getFirst() + " ended with status " + output.status()
                            + " and printed no line AGE-SECRET-KEY-1…: run it by hand to see why"));
        }
    }
}
