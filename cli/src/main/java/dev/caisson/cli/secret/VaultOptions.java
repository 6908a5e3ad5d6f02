package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.gate.HostTrust;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options for `--from vault://…`: the token, and who vouches for the server.
final class VaultOptions {
    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "File of mode 0400 with the token for a source vault://….")
    private @Nullable Path tokenFile;

    @Option(
            names = "--token-secret",
            paramLabel = "NAME",
            description = "Secret of the store that is the token for a source vault://….")
    private @Nullable String tokenSecret;

    @Option(
            names = "--ca-cert",
            paramLabel = "FILE",
            description = "Certificates in PEM of who vouches for a source vault://… (default: the host's).")
    private @Nullable Path authorities;

    /// @throws CommandException if one is there
    void requireNone() {
        if (tokenFile != null || tokenSecret != null || authorities != null) {
            throw CommandException.usage("--token-file, --token-secret and --ca-cert are for --from vault://…");
        }
    }

    /// Asks the server.
    SecretValue read(String address, SecretStore store) {
        SSLContext trust = trust();
        try (SecretValue token = token(store)) {
            return new ValueSource.Vault(address, token, trust).read();
        }
    }

    private SecretValue token(SecretStore store) {
        if (tokenSecret != null && tokenFile == null) {
            return store.read(new SecretName(tokenSecret), Optional.empty(), "read", Stores.user());
        }
        if (tokenFile != null && tokenSecret == null) {
            return ValueSource.Vault.token(Caller.current().absolute(tokenFile).orElse(tokenFile));
        }
        throw CommandException.usage("a source vault://… takes one of --token-file and --token-secret: give one");
    }

    private SSLContext trust() {
        try {
            return authorities == null
                    ? HostTrust.context()
                    : HostTrust.context(Caller.current().absolute(authorities).orElse(authorities));
        } catch (IOException e) {
            throw CommandException.usage(
                    "the certificates that vouch for the source cannot be read: " + e.getMessage());
        }
    }
}
