package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.registry.Credentials;
import dev.caisson.image.registry.LoginFile;
import dev.caisson.image.registry.RegistryClient;
import java.nio.file.Path;
import java.util.Optional;

/// Where users and passwords of registries are found. They are read anew for each pull, and nothing of them is
/// kept.
public final class RegistryLogins {
    private final Credentials credentials;

    private RegistryLogins(Credentials credentials) {
        this.credentials = credentials;
    }

    /// No user anywhere.
    public static RegistryLogins none() {
        return new RegistryLogins(Credentials.none());
    }

    /// Those of a file in the form of Docker's `~/.docker/config.json`, and of the credential helpers that it
    /// names. A file that does not exist has none.
    public static RegistryLogins of(Path file) {
        return new RegistryLogins(Credentials.of(present(file, "file")));
    }

    /// Keeps a login in a file of that form, or with the credential helper that it names, if the registry takes
    /// it.
    ///
    /// @param registry host and port as in an image's name; `docker.io`
    /// @return the name of the helper that has it; empty if it is in the file, not encrypted
    /// @throws ImageException BAD_NAME if it is no registry's name
    /// @throws dev.caisson.error.CaissonException REGISTRY_UNAUTHORIZED if the registry refuses it; with another
    ///     code if it cannot be asked, or the login cannot be kept
    public static Optional<String> login(Path file, String registry, String user, String password) {
        ImageReference.requireRegistry(registry);
        try (var client = new RegistryClient(registry, Credentials.given(user, password))) {
            client.checkLogin();
        }
        return new LoginFile(file).put(registry, user, password);
    }

    /// Forgets a login.
    /// @return false if there was none
    public static boolean logout(Path file, String registry) {
        ImageReference.requireRegistry(registry);
        return new LoginFile(file).remove(registry);
    }

    Credentials credentials() {
        return credentials;
    }
}
