package dev.caisson.image.registry;

import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.JsonOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Writes logins into a file in the form of Docker's `config.json`, or gives them to the credential helper that it
/// names. Everything else in the file stays. It is replaced by a rename, and only its owner may read it.
public final class LoginFile {
    private final Path path;
    private final CredentialProgram.Finder helpers;

    /// @param path need not exist; a link stays, and what it leads to is replaced
    public LoginFile(Path path) {
        this(path, CredentialProgram::named);
    }

    /// The same, with helpers that are started with an environment.
    public LoginFile(Path path, HelperEnvironment environment) {
        this(path, CredentialProgram.finder(environment));
    }

    LoginFile(Path path, CredentialProgram.Finder helpers) {
        this.path = path;
        this.helpers = helpers;
    }

    /// Keeps a login.
    ///
    /// @param registry host and port as in an image's name
    /// @return the name of the helper that has it; empty if it is in the file, where whoever may read that can
    ///     read it
    /// @throws RegistryException CREDENTIALS_UNREADABLE, CREDENTIALS_NOT_WRITTEN
    public Optional<String> put(String registry, String user, String secret) {
        String key = Credentials.keys(registry).getFirst();
        Map<String, @Nullable Object> config = read();
        Optional<String> helper = Credentials.helper(config, key);
        helper.ifPresent(name -> helpers.named(name).store(key, user, secret));
        Map<String, @Nullable Object> entry = new LinkedHashMap<>();
        if (helper.isEmpty()) {
            byte[] both = (user + ":" + secret).getBytes(StandardCharsets.UTF_8);
            entry.put("auth", Base64.getEncoder().encodeToString(both));
        }
        Map<String, @Nullable Object> logins = logins(config);
        Credentials.keys(registry).forEach(logins::remove);
        logins.put(key, entry);
        config.put("auths", logins);
        write(config);
        return helper;
    }

    /// Forgets the login of a registry, here and at its helper.
    /// @return false if there was none
    /// @throws RegistryException CREDENTIALS_UNREADABLE, CREDENTIALS_NOT_WRITTEN
    public boolean remove(String registry) {
        Map<String, @Nullable Object> config = read();
        Map<String, @Nullable Object> logins = logins(config);
        boolean had = false;
        for (String key : Credentials.keys(registry)) {
            Optional<CredentialProgram> helper = Credentials.helper(config, key).map(helpers::named);
            if (helper.isPresent() && helper.get().ask(key).isPresent()) {
                helper.get().erase(key);
                had = true;
            }
            had |= logins.containsKey(key);
            logins.remove(key);
        }
        if (had) {
            config.put("auths", logins);
            write(config);
        }
        return had;
    }

    private Map<String, @Nullable Object> read() {
        return new LinkedHashMap<>(Credentials.of(path).read(path));
    }

    private static Map<String, @Nullable Object> logins(Map<String, @Nullable Object> config) {
        return config.get("auths") instanceof Map<?, ?> map
                ? new LinkedHashMap<>(Json.members(map))
                : new LinkedHashMap<>();
    }

    private void write(Map<String, @Nullable Object> config) {
        try {
            Path target = Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? path.toRealPath() : path;
            Path directory = target.toAbsolutePath().getParent();
            if (directory != null && !Files.exists(directory)) {
                Files.createDirectories(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            Path partial = target.resolveSibling("config.json." + UUID.randomUUID() + ".partial");
            try {
                write(partial, JsonOutput.of(config).getBytes(StandardCharsets.UTF_8));
                Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            throw new RegistryException(
                    Code.CREDENTIALS_NOT_WRITTEN,
                    path + " cannot be written (" + e.getMessage()
                            + "); make its directory writable, or name another one with DOCKER_CONFIG",
                    e);
        }
    }

    private static void write(Path file, byte[] content) throws IOException {
        var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (var channel = java.nio.channels.FileChannel.open(
                file, Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW), mode)) {
            var buffer = java.nio.ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
    }
}
