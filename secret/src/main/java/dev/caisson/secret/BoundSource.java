package dev.caisson.secret;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/// A source outside of the store, as users write it and as the store keeps it for a secret that is bound to it. It has
/// no value, nor a token: only where these are.
///
/// @param from `command:PROGRAM ARGUMENT…`, `file:PATH` or `vault://HOST[:PORT]/MOUNT/data/PATH[?version=N]#FIELD`
/// @param tokenFile file of mode 0400 with the token of a Vault server
/// @param tokenSecret secret of the store that is the token
/// @param authorities file of certificates that vouch for a Vault server (default: those that the host trusts)
/// @param orLast if the source cannot be read, the last value that has not expired is handed out
public record BoundSource(
        String from,
        Optional<Path> tokenFile,
        Optional<SecretName> tokenSecret,
        Optional<Path> authorities,
        boolean orLast) {
    private static final String COMMAND = "command:";
    private static final String FILE = "file:";
    private static final String VAULT = "vault://";
    private static final int LONGEST = 4096;

    /// Makes the context for connections to servers.
    @FunctionalInterface
    public interface Trust {
        /// Returns a context that trusts some certificates.
        ///
        /// @param authorities file of certificates; those that the host trusts if empty
        SSLContext of(Optional<Path> authorities) throws IOException;
    }

    /// The messages do not repeat the text, which may be a value.
    /// @throws SecretException SECRET_INVALID
    public BoundSource {
        if (from.length() > LONGEST || from.indexOf('\0') >= 0) {
            throw SecretException.invalid(
                    "the source has more than " + LONGEST + " characters, or a zero byte: have a program read it");
        }
        if (from.startsWith(VAULT)) {
            VaultField.parse(from);
            if (tokenFile.isPresent() == tokenSecret.isPresent()) {
                throw SecretException.invalid(
                        "a source vault://… takes one of --token-file and --token-secret: give one");
            }
        } else if (tokenFile.isPresent() || tokenSecret.isPresent() || authorities.isPresent()) {
            throw SecretException.invalid("--token-file, --token-secret and --ca-cert are for --from vault://…");
        } else if (from.startsWith(COMMAND)) {
            command(from);
        } else if (from.startsWith(FILE)) {
            file(from);
        } else {
            throw SecretException.invalid("--from takes vault://…, file:PATH, or command:PROGRAM and its arguments, as"
                    + " 'command:/usr/bin/pass show db': a value is never an argument, where every user of the host"
                    + " sees it");
        }
        tokenFile.ifPresent(file -> requireAbsolute(file, "--token-file"));
        authorities.ifPresent(file -> requireAbsolute(file, "--ca-cert"));
    }

    private static void requireAbsolute(Path file, String option) {
        if (!file.isAbsolute()) {
            throw SecretException.invalid(option + " names " + file + ": give its absolute path");
        }
    }

    private static ValueSource command(String from) {
        return new ValueSource.Command(
                List.of(from.substring(COMMAND.length()).strip().split("\\s+")));
    }

    private static ValueSource file(String from) {
        return new ValueSource.File(Path.of(from.substring(FILE.length())));
    }

    /// Reads the value.
    ///
    /// @param store has the token, if it is in one
    /// @param user who asks, for the log
    /// @throws SecretException SECRET_SOURCE; SECRET_INVALID if there is an empty value or one that is too large;
    ///     those of [SecretStore#read] for the token
    public SecretValue read(SecretStore store, Trust trust, String user) {
        if (from.startsWith(COMMAND)) {
            return command(from).read();
        }
        if (from.startsWith(FILE)) {
            return file(from).read();
        }
        SSLContext context;
        try {
            context = trust.of(authorities);
        } catch (IOException e) {
            throw new SecretException(
                    SecretException.Code.SECRET_SOURCE,
                    "the certificates that vouch for the source cannot be read: " + e.getMessage(),
                    e);
        }
        try (SecretValue token = token(store, user)) {
            return new ValueSource.Vault(from, token, context).read();
        }
    }

    private SecretValue token(SecretStore store, String user) {
        return tokenFile
                .map(ValueSource.Vault::token)
                .orElseGet(() -> store.read(tokenSecret.orElseThrow(), Optional.empty(), "read", user));
    }
}
