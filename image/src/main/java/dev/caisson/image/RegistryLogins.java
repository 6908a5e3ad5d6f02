package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.registry.Credentials;
import java.nio.file.Path;

/// Where users and passwords of registries are found. They are read anew for each pull, and nothing of them is kept.
public final class RegistryLogins {
    private final Credentials credentials;

    private RegistryLogins(Credentials credentials) {
        this.credentials = credentials;
    }

    /// No user anywhere.
    public static RegistryLogins none() {
        return new RegistryLogins(Credentials.none());
    }

    /// Those of a file in the form of Docker's `~/.docker/config.json`, and of the credential helpers that it names.
    /// A file that does not exist has none.
    public static RegistryLogins of(Path file) {
        return new RegistryLogins(Credentials.of(present(file, "file")));
    }

    Credentials credentials() {
        return credentials;
    }
}
