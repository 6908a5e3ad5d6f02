package dev.caisson.secret;

import dev.caisson.secret.SecretException.Code;
import java.time.Duration;
import java.util.List;

/// A place outside of the store that a value is brought from when a version is made.
public sealed interface ValueSource {
    /// Reads the value, whose bytes are taken as they are.
    /// @throws SecretException SECRET_SOURCE; SECRET_INVALID if it is too large
    SecretValue read();

    /// A program that prints the value, as one that asks a password store or a key service. It has nothing to read and
    /// no variable but `PATH`.
    ///
    /// @param command the program, absolute, and its arguments
    record Command(List<String> command) implements ValueSource {
        /// @throws SecretException SECRET_INVALID
        public Command {
            command = List.copyOf(command);
            if (command.isEmpty() || !command.getFirst().startsWith("/")) {
                throw SecretException.invalid(
                        "the command of a source does not begin with an absolute path: give one, as /usr/bin/pass");
            }
        }

        @Override
        public SecretValue read() {
            return read(ProgramOutput.PATIENCE);
        }

        SecretValue read(Duration patience) {
            var limits = new ProgramOutput.Limits(patience, SecretValue.MOST_BYTES, Code.SECRET_SOURCE);
            ProgramOutput output = ProgramOutput.of(command, limits);
            if (output.status() == 0 && output.printed().isPresent()) {
                return output.printed().get();
            }
            output.close();
            throw new SecretException(
                    Code.SECRET_SOURCE,
                    command.getFirst() + " ended with status " + output.status()
                            + (output.printed().isPresent() ? "" : " and printed nothing")
                            + ": the store is as it was; run it by hand to see why");
        }
    }
}
