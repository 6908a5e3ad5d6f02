package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.registry.Credentials;
import dev.caisson.image.registry.HelperEnvironment;
import dev.caisson.image.registry.LoginFile;
import dev.caisson.image.registry.RegistryClient;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// Where users and passwords of registries are found. They are read anew for each pull, and nothing of them is
/// kept.
public final class RegistryLogins {
    private final Credentials credentials;
    private final Optional<LoginFile> file;

    private RegistryLogins(Credentials credentials, Optional<LoginFile> file) {
        this.credentials = credentials;
        this.file = file;
    }

    /// No user anywhere.
    public static RegistryLogins none() {
        return new RegistryLogins(Credentials.none(), Optional.empty());
    }

    /// Those of a file in the form of Docker's `~/.docker/config.json`, and of the credential helpers that it
    /// names. A file that does not exist has none.
    public static RegistryLogins of(Path file) {
        return new RegistryLogins(Credentials.of(present(file, "file")), Optional.of(new LoginFile(file)));
    }

    /// The same for somebody whose environment is not this process's: helpers are found by the `PATH` of `variables`,
    /// and have no other variables.
    ///
    /// @param directory absolute; where helpers begin
    public static RegistryLogins of(Path file, Map<String, String> variables, Path directory) {
        present(file, "file");
        var helpers = new HelperEnvironment(present(variables, "variables"), present(directory, "directory"));
        return new RegistryLogins(Credentials.of(file, helpers), Optional.of(new LoginFile(file, helpers)));
    }

    /// Keeps a login in the file, or with the credential helper that it names, if the registry takes it.
    ///
    /// @param registry host and port as in an image's name; `docker.io`
    /// @return the name of the helper that has it; empty if it is in the file, not encrypted
    /// @throws ImageException BAD_NAME if it is no registry's name
    /// @throws dev.caisson.error.CaissonException REGISTRY_UNAUTHORIZED if the registry refuses it; with another
    ///     code if it cannot be asked, or the login cannot be kept
    public Optional<String> login(String registry, String user, String password) {
        ImageReference.requireRegistry(registry);
        try (var client = new RegistryClient(registry, Credentials.given(user, password))) {
            client.checkLogin();
        }
        return kept().put(registry, user, password);
    }

    /// Forgets a login.
    /// @return false if there was none
    public boolean logout(String registry) {
        ImageReference.requireRegistry(registry);
        return kept().remove(registry);
    }

    private LoginFile kept() {
        return file.orElseThrow(() -> new IllegalStateException("there is no file to keep logins in"));
    }

    Credentials credentials() {
        return credentials;
    }
}
