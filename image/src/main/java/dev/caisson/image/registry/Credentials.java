package dev.caisson.image.registry;

import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where users and passwords of registries are found: Docker's `config.json`, and the credential helpers that it
/// names. The file is read anew for each registry, and nothing of it is kept.
public final class Credentials {
    private static final Json.Limits LIMITS = new Json.Limits(1 << 20, 16, 20_000);
    private static final String DOCKER_HUB = "docker.io";
    private static final String DOCKER_HUB_KEY = "https://index.docker.io/v1/";

    private final Optional<Path> file;
    private final Optional<Login> given;
    private final CredentialProgram.Finder helpers;

    private Credentials(Optional<Path> file, Optional<Login> given, CredentialProgram.Finder helpers) {
        this.file = file;
        this.given = given;
        this.helpers = helpers;
    }

    /// No user anywhere.
    public static Credentials none() {
        return new Credentials(Optional.empty(), Optional.empty(), CredentialProgram::named);
    }

    /// Those of a file in the form of Docker's `~/.docker/config.json`. One that does not exist has none.
    public static Credentials of(Path file) {
        return of(file, CredentialProgram::named);
    }

    /// The same, with helpers that are started with an environment.
    public static Credentials of(Path file, HelperEnvironment environment) {
        return of(file, CredentialProgram.finder(environment));
    }

    static Credentials of(Path file, CredentialProgram.Finder helpers) {
        return new Credentials(Optional.of(file), Optional.empty(), helpers);
    }

    /// One user and password, for any registry.
    public static Credentials given(String user, String password) {
        return new Credentials(
                Optional.empty(), Optional.of(new Login(user, password, false)), CredentialProgram::named);
    }

    /// Returns the login for a registry.
    /// @param registry host and port as in an image's name; `docker.io`
    /// @throws RegistryException CREDENTIALS_UNREADABLE
    Optional<Login> login(String registry) {
        if (file.isEmpty()) {
            return given;
        }
        Map<String, @Nullable Object> config = read(file.orElseThrow());
        for (String key : keys(registry)) {
            Optional<Login> found =
                    helper(config, key).flatMap(name -> helpers.named(name).ask(key));
            if (found.isEmpty()) {
                found = stored(object(object(config, "auths"), key), key);
            }
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /// The names under which Docker and its relatives keep a registry's entry.
    static List<String> keys(String registry) {
        if (registry.equals(DOCKER_HUB)) {
            return List.of(DOCKER_HUB_KEY, DOCKER_HUB, "index.docker.io", "https://index.docker.io/v1");
        }
        return List.of(registry, "https://" + registry, "https://" + registry + "/v2/", "https://" + registry + "/v1/");
    }

    /// Returns the helper for an entry, if the file names one.
    static Optional<String> helper(Map<String, @Nullable Object> config, String key) {
        Object own = object(config, "credHelpers").get(key);
        Object all = own == null ? config.get("credsStore") : own;
        return all instanceof String name && !name.isEmpty() ? Optional.of(name) : Optional.empty();
    }

    private Optional<Login> stored(Map<String, @Nullable Object> entry, String key) {
        if (entry.get("identitytoken") instanceof String token && !token.isEmpty()) {
            return Optional.of(new Login("", token, true));
        }
        if (!(entry.get("auth") instanceof String auth) || auth.isEmpty()) {
            return Optional.empty();
        }
        try {
            String both = new String(Base64.getDecoder().decode(auth), StandardCharsets.UTF_8);
            int colon = both.indexOf(':');
            if (colon > 0) {
                return Optional.of(new Login(both.substring(0, colon), both.substring(colon + 1), false));
            }
        } catch (IllegalArgumentException e) {
            throw unreadable("the entry of " + key + " is not base64", e);
        }
        throw unreadable("the entry of " + key + " has no user and password", null);
    }

    /// Reads a file; one that does not exist is empty.
    Map<String, @Nullable Object> read(Path path) {
        try {
            byte[] content = Files.readAllBytes(path);
            Object parsed = content.length == 0 ? Map.of() : Json.parse(content, LIMITS);
            if (parsed instanceof Map<?, ?> map) {
                return Json.members(map);
            }
            throw unreadable("it is not an object", null);
        } catch (NoSuchFileException e) {
            return Map.of();
        } catch (IOException e) {
            throw unreadable(String.valueOf(e.getMessage()), e);
        } catch (MalformedJsonException e) {
            // its sentence may quote the text, which has passwords
            throw unreadable("it is not JSON, line " + e.line(), null);
        }
    }

    private RegistryException unreadable(String why, @Nullable Throwable cause) {
        String sentence = file.map(Path::toString).orElse("the configuration") + " cannot be used for logging in: "
                + why + "; log in again, or move the file away";
        return cause == null
                ? new RegistryException(Code.CREDENTIALS_UNREADABLE, sentence)
                : new RegistryException(Code.CREDENTIALS_UNREADABLE, sentence, cause);
    }

    private static Map<String, @Nullable Object> object(Map<String, @Nullable Object> map, String key) {
        return map.get(key) instanceof Map<?, ?> inner ? Json.members(inner) : Map.of();
    }
}
