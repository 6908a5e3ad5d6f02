package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.allPresent;
import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.linux.ByteText;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.TerminalSize;
import dev.caisson.text.Quoted;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One more program for a container that runs: a value, changed by making another.
///
/// ```java
/// ExecResult result = container.exec(Exec.of("python3", "/box/a.py").timeout(Duration.ofSeconds(5)));
/// ```
///
/// It has the container's limits, capabilities and filter, and its user, working directory and variables where nothing
/// else is asked for. What its filter denies is told if it is for the container.
///
/// @param command the program and its arguments
/// @param user `name`, `uid`, `name:group` or `uid:gid` in the container; the container's own where empty
/// @param workingDirectory absolute, in the container; the container's own where empty
/// @param environment variables on top of the container's
/// @param terminal a terminal of this size becomes its standard streams
/// @param timeout after which it is killed with every process that it has started
/// @param outputLimit most that it may write to output and errors together, or it is killed
public record Exec(
        List<String> command,
        Optional<String> user,
        Optional<String> workingDirectory,
        Map<String, String> environment,
        Optional<TerminalSize> terminal,
        Optional<Duration> timeout,
        Bytes outputLimit) {
    private static final Bytes OUTPUT_LIMIT = Bytes.mebibytes(16);

    /// @throws ArgumentException for what no program can be given: an empty command, NUL characters, a relative
    ///     directory, a timeout that is not positive
    public Exec {
        command = allPresent(command, "command");
        environment = Map.copyOf(present(environment, "environment"));
        present(user, "user");
        present(workingDirectory, "workingDirectory");
        present(terminal, "terminal");
        present(timeout, "timeout");
        present(outputLimit, "outputLimit");
        if (command.isEmpty() || command.getFirst().isEmpty()) {
            throw ArgumentException.invalid("no program is given: name one");
        }
        command.forEach(argument -> requireText(argument, "an argument"));
        environment.forEach((name, value) -> {
            requireText(name, "a variable's name");
            requireText(value, "a variable's value");
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw ArgumentException.invalid("a variable's name is empty or holds '=': " + name);
            }
        });
        workingDirectory.ifPresent(directory -> {
            requireText(directory, "the working directory");
            if (!directory.startsWith("/")) {
                throw ArgumentException.invalid(
                        "the working directory " + Quoted.of(directory) + " is not absolute: begin it with /");
            }
        });
        timeout.ifPresent(limit -> {
            if (!limit.isPositive()) {
                throw ArgumentException.invalid("the timeout " + limit + " is not positive");
            }
        });
    }

    private static void requireText(String text, String what) {
        if (text.indexOf('\0') >= 0) {
            throw ArgumentException.invalid(what + " holds a NUL character, which ends it for the kernel");
        }
        if (!ByteText.isText(text)) {
            throw ArgumentException.invalid(what + " holds half of a surrogate pair: give whole characters");
        }
    }

    public static Exec of(String... command) {
        return of(Arrays.asList(present(command, "command")));
    }

    public static Exec of(List<String> command) {
        return new Exec(
                command,
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                OUTPUT_LIMIT);
    }

    /// Runs it as another user: `name`, `uid`, `name:group` or `uid:gid`.
    public Exec user(String value) {
        return new Exec(
                command,
                Optional.of(present(value, "user")),
                workingDirectory,
                environment,
                terminal,
                timeout,
                outputLimit);
    }

    public Exec workingDirectory(String value) {
        return new Exec(
                command,
                user,
                Optional.of(present(value, "workingDirectory")),
                environment,
                terminal,
                timeout,
                outputLimit);
    }

    /// With one more variable.
    public Exec environment(String name, String value) {
        var all = new LinkedHashMap<>(environment);
        all.put(present(name, "name"), present(value, "value"));
        return new Exec(command, user, workingDirectory, all, terminal, timeout, outputLimit);
    }

    public Exec terminal(TerminalSize size) {
        return new Exec(
                command, user, workingDirectory, environment, Optional.of(present(size, "size")), timeout, outputLimit);
    }

    public Exec timeout(Duration value) {
        return new Exec(
                command,
                user,
                workingDirectory,
                environment,
                terminal,
                Optional.of(present(value, "timeout")),
                outputLimit);
    }

    public Exec outputLimit(Bytes value) {
        return new Exec(command, user, workingDirectory, environment, terminal, timeout, present(value, "outputLimit"));
    }

    /// The values of variables are left out: they often are secrets.
    @Override
    public String toString() {
        return "Exec[" + command + ", variables " + environment.keySet() + "]";
    }
}
