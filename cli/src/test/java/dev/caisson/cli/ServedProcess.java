package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A resident engine of the classes under test as a process of its own, with a state directory of its own, and a clone
/// from whose launcher a front end starts what is not served.
public final class ServedProcess implements AutoCloseable {
    /// Whether this run of the tests has commands run by a resident engine.
    public static final boolean IS_WANTED = Boolean.getBoolean("caisson.test.served");

    private static final String BUILD = "build-of-test";
    private static final long END_SECONDS = 60;

    private static final class Shared {
        static final ServedProcess ONE = start(temporary());
    }

    private final Path directory;
    private final Process process;

    private ServedProcess(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    /// Returns the one that all tests of this process share.
    static ServedProcess shared() {
        return Shared.ONE;
    }

    private static Path temporary() {
        try {
            Path directory = Files.createTempDirectory("caisson-served");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                Shared.ONE.close();
                delete(directory);
            }));
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path directory) {
        try {
            new ProcessBuilder("rm", "-rf", directory.toString()).start().waitFor();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// @param directory for the state and the clone
    static ServedProcess start(Path directory) {
        return start(directory, List.of());
    }

    /// @param options further ones of the engine's JVM
    static ServedProcess start(Path directory, List<String> options) {
        try {
            makeClone(directory, List.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return serve(directory, options);
    }

    /// Starts an engine in the place of this one, which has ended.
    ServedProcess again() {
        return serve(directory, List.of());
    }

    private static ServedProcess serve(Path directory, List<String> options) {
        try {
            var all = new ArrayList<>(options);
            all.add("-Dcaisson.home=" + home(directory));
            var serve = new ProcessBuilder(CommandProcess.ofJvm(all, "serve"));
            serve.environment().put("CAISSON_STATE", state(directory).toString());
            var served = new ServedProcess(directory, serve.start());
            served.process.getOutputStream().close();
            assertThat(served.process.errorReader().readLine()).startsWith("caisson: serving");
            return served;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Makes a clone whose front end is at [#front].
    ///
    /// @param options further ones of the JVM that its launcher starts
    static void makeClone(Path directory, List<String> options) throws IOException {
        Path home = home(directory);
        Files.createDirectories(home);
        Files.copy(Path.of("target/caisson-front"), home.resolve("caisson-front"));
        Path launcher = directory.resolve("caisson");
        var words = new ArrayList<>(CommandProcess.ofJvm(options));
        words.replaceAll(word -> "'" + word.replace("'", "'\\''") + "'");
        Files.writeString(
                launcher,
                "#!/bin/bash -p\n[[ ${CAISSON_SERVE-} == off ]] || unset -v CAISSON_SERVE\nexec "
                        + String.join(" ", words) + " \"$@\"\n");
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(directory.resolve(".caisson/current"), home + "\n"); // last, so that nothing is newer
    }

    static Path home(Path clone) {
        return clone.resolve(".caisson").resolve(BUILD);
    }

    /// Returns the words that start the front end of a clone, before those of a command.
    static List<String> front(Path clone) {
        return List.of(home(clone).resolve("caisson-front").toString(), clone.toString(), BUILD);
    }

    private static Path state(Path directory) {
        return directory.resolve("state");
    }

    Path state() {
        return state(directory);
    }

    /// Returns the file that a change makes newer than the build.
    Path source() {
        return directory.resolve("pom.xml");
    }

    Process process() {
        return process;
    }

    /// Returns the words that start a command by the front end.
    List<String> words(String... arguments) {
        return words(List.of(), arguments);
    }

    /// @param variables as NAME=VALUE
    List<String> words(List<String> variables, String... arguments) {
        var words = new ArrayList<>(List.of("env", "CAISSON_STATE=" + state()));
        words.addAll(variables);
        words.addAll(front(directory));
        words.addAll(List.of(arguments));
        return words;
    }

    @Override
    public void close() {
        end();
    }

    /// Ends it as a service manager does.
    void end() {
        try {
            process.destroy();
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
