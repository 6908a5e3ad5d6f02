package dev.caisson.image.registry;

import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.JsonOutput;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A program that keeps passwords for Docker: `docker-credential-NAME get` reads a registry and writes a login,
/// `store` reads one, `erase` forgets one.
final class CredentialProgram {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
    private static final String PREFIX = "docker-credential-";
    private static final Json.Limits LIMITS = new Json.Limits(1 << 16, 4, 100);
    private static final int LONGEST_ANSWER = 1 << 16;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /// The user name that stands for an identity token.
    private static final String TOKEN_USER = "<token>";
    private static final String ABSENT = "credentials not found";

    private final String program;
    private final Duration patience;
    private final Optional<HelperEnvironment> environment;

    /// @param program a name that is looked up, or a path
    /// @param patience for its answer, and then for its end
    CredentialProgram(String program, Duration patience) {
        this(program, patience, Optional.empty());
    }

    /// @param environment of whoever wants the login; empty for this process's own
    CredentialProgram(String program, Duration patience, Optional<HelperEnvironment> environment) {
        this.program = program;
        this.patience = patience;
        this.environment = environment;
    }

    /// Finds helpers by their names in Docker's configuration.
    @FunctionalInterface
    interface Finder {
        /// Returns the helper of a name.
        /// @throws RegistryException CREDENTIALS_UNREADABLE if it is no name
        CredentialProgram named(String name);
    }

    static CredentialProgram named(String name) {
        return named(name, Optional.empty());
    }

    /// Returns a finder of the helpers that are started with an environment.
    static Finder finder(HelperEnvironment environment) {
        return name -> named(name, Optional.of(environment));
    }

    private static CredentialProgram named(String name, Optional<HelperEnvironment> environment) {
        if (!NAME.matcher(name).matches()) {
            throw refused(Quoted.of(name) + " is not the name of a credential helper", null);
        }
        return new CredentialProgram(PREFIX + name, PATIENCE, environment);
    }

    /// Returns what the helper has for a registry; empty if it has nothing.
    /// @throws RegistryException CREDENTIALS_UNREADABLE
    Optional<Login> ask(String registry) {
        return run("get", registry).map(this::login);
    }

    /// Gives a login to a helper. It goes through a pipe, and stands in no argument.
    void store(String registry, String user, String secret) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("ServerURL", registry);
        fields.put("Username", user);
        fields.put("Secret", secret);
        Optional<byte[]> _ = run("store", JsonOutput.of(fields));
    }

    void erase(String registry) {
        Optional<byte[]> _ = run("erase", registry);
    }

    /// Runs a helper.
    /// @return what it writes; empty if it has no such login
    private Optional<byte[]> run(String command, String input) {
        Process process = start(command);
        try {
            CompletableFuture<byte[]> answer =
                    CompletableFuture.supplyAsync(() -> exchange(process, input), CredentialProgram::inOwnThread);
            byte[] bytes = answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
            if (!process.waitFor(patience)) {
                throw refused(program + " does not end", null);
            }
            if (process.exitValue() != 0) {
                if (new String(bytes, StandardCharsets.UTF_8).contains(ABSENT)) {
                    return Optional.empty();
                }
                throw refused(program + " ended with status " + process.exitValue(), null);
            }
            return Optional.of(bytes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw refused("interrupted while " + program + " was asked", e);
        } catch (TimeoutException e) {
            throw refused(program + " gave no answer within " + patience.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw refused(program + " cannot be asked", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /// A helper that gives no answer holds up nobody else.
    private static void inOwnThread(Runnable task) {
        Thread.ofPlatform().daemon().name("caisson-credentials").start(task);
    }

    private Process start(String command) {
        try {
            ProcessBuilder builder = environment.isPresent()
                    ? environment.orElseThrow().start(program, command)
                    : new ProcessBuilder(program, command);
            return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        } catch (IOException e) {
            throw refused(program + " cannot be started", e);
        }
    }

    private static byte[] exchange(Process process, String input) {
        try {
            try (OutputStream in = process.getOutputStream()) {
                in.write(input.getBytes(StandardCharsets.UTF_8));
            }
            try (InputStream out = process.getInputStream()) {
                return out.readNBytes(LONGEST_ANSWER);
            }
        } catch (IOException e) {
            throw refused("a credential helper cannot be asked", e);
        }
    }

    private Login login(byte[] answer) {
        try {
            if (Json.parse(answer, LIMITS) instanceof Map<?, ?> map
                    && map.get("Username") instanceof String user
                    && map.get("Secret") instanceof String secret) {
                boolean isToken = user.equals(TOKEN_USER);
                return new Login(isToken ? "" : user, secret, isToken);
            }
        } catch (MalformedJsonException e) {
            // the text may hold a password, so neither it nor its error is told
        }
        throw refused(program + " gave no user and secret", null);
    }

    private static RegistryException refused(String what, @Nullable Throwable cause) {
        String sentence = what + "; log in again, or take the helper out of Docker's config.json";
        return cause == null
                ? new RegistryException(Code.CREDENTIALS_UNREADABLE, sentence)
                : new RegistryException(Code.CREDENTIALS_UNREADABLE, sentence, cause);
    }
}
