package dev.caisson.secret;

import dev.caisson.secret.SecretException.Code;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLContext;

/// A place outside of the store that a value is brought from when a version is made.
public sealed interface ValueSource {
    /// Reads the value, whose bytes are taken as they are.
    /// @throws SecretException SECRET_SOURCE; SECRET_INVALID if what a server has is empty or too large
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

    /// A file that its owner alone may read, as an agent writes it.
    ///
    /// @param path absolute
    record File(Path path) implements ValueSource {
        /// @throws SecretException SECRET_INVALID
        public File {
            if (!path.isAbsolute()) {
                throw SecretException.invalid(
                        "the file of a source has no absolute path: give one, as file:/run/agent/db-password");
            }
        }

        @Override
        public SecretValue read() {
            return PrivateFile.read(path, SecretValue.MOST_BYTES, Code.SECRET_SOURCE, "source");
        }
    }

    /// A field of a secret in the key-value store, version 2, of a Vault or OpenBao server, asked for over TLS within
    /// 30 s.
    final class Vault implements ValueSource {
        private static final int MOST_TOKEN = 4096;

        private final VaultField place;
        private final SecretValue token;
        private final SSLContext trust;

        /// @param address `vault://HOST[:PORT]/MOUNT/data/PATH[?version=N]#FIELD`, which errors repeat without the
        /// field
        /// @param token that the caller closes, after [#read]
        /// @param trust vouches for the server
        /// @throws SecretException SECRET_INVALID
        public Vault(String address, SecretValue token, SSLContext trust) {
            this.place = VaultField.parse(address);
            this.token = token;
            this.trust = trust;
        }

        /// Reads a token from a file that its owner alone may read, without the end of its line.
        ///
        /// @param file absolute
        /// @return which the caller closes
        /// @throws SecretException SECRET_SOURCE, SECRET_INVALID
        public static SecretValue token(Path file) {
            try (SecretValue content = PrivateFile.read(file, MOST_TOKEN, Code.SECRET_SOURCE, "token file")) {
                byte[] bytes = content.copy();
                int end = bytes.length;
                while (end > 0 && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r')) {
                    end--;
                }
                Arrays.fill(bytes, (byte) 0);
                return content.start(end);
            }
        }

        @Override
        public SecretValue read() {
            return read(ProgramOutput.PATIENCE);
        }

        SecretValue read(Duration patience) {
            return place.read(token, trust, patience);
        }
    }
}
