package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.secret.BoundSource;
import dev.caisson.secret.SecretName;
import java.nio.file.Path;
import java.util.Optional;
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

    /// Returns the source of a text, with these options.
    BoundSource source(String from, boolean orLast) {
        return new BoundSource(
                from,
                Optional.ofNullable(tokenFile).map(VaultOptions::absolute),
                Optional.ofNullable(tokenSecret).map(SecretName::new),
                Optional.ofNullable(authorities).map(VaultOptions::absolute),
                orLast);
    }

    private static Path absolute(Path file) {
        return Caller.current().absolute(file).orElse(file);
    }

    /// @throws CommandException if one is there
    void requireNone() {
        if (tokenFile != null || tokenSecret != null || authorities != null) {
            throw CommandException.usage("--token-file, --token-secret and --ca-cert are for --from vault://…");
        }
    }
}
