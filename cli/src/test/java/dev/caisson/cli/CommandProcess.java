package dev.caisson.cli;

import dev.caisson.cli.caller.Caller;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The command as a process of its own, of the classes under test.
public final class CommandProcess {
    private CommandProcess() {}

    private static final String PASSED_ON = "readonly passed_on=";

    /// Has the jars of all modules, and their classes as a JVM keeps them: with these a command takes half of the
    /// processor time. `tools/run-tests` makes it; without it the classes are those of the directories.
    private static final Optional<Path> PREPARED =
            Optional.ofNullable(System.getProperty("caisson.test.commands")).map(Path::of);

    /// The words that start it: by a resident engine in a run of the tests that asks for it, else as a JVM.
    public static List<String> words(String... arguments) {
        return ServedProcess.IS_WANTED ? ServedProcess.shared().words(arguments) : ofJvm(List.of(), arguments);
    }

    /// The state directory of the containers that these commands see.
    public static Path state() {
        return ServedProcess.IS_WANTED
                ? ServedProcess.shared().state()
                : Caller.current().directories().state();
    }

    /// The words that start it as a JVM, with its signals blocked as the launcher blocks them.
    static List<String> ofJvm(List<String> options, String... arguments) {
        var words = new ArrayList<String>(List.of("env", "--block-signal=" + passedOn(), "_JAVA_SR_SIGNUM=63"));
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(options);
        PREPARED.ifPresent(directory ->
                words.addAll(List.of("-XX:SharedArchiveFile=" + directory.resolve("classes.jsa"), "-Xlog:cds=off")));
        words.addAll(List.of(
                "-Xrs",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                Main.class.getName()));
        words.addAll(List.of(arguments));
        return words;
    }

    static String passedOn() {
        try (Stream<String> lines = Files.lines(Path.of("../caisson"))) {
            return lines.filter(line -> line.startsWith(PASSED_ON))
                    .map(line -> line.substring(PASSED_ON.length()))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String classPath() {
        var paths = new ArrayList<String>();
        try {
            if (PREPARED.isPresent()) {
                paths.add(Files.readString(PREPARED.get().resolve("path")).strip());
            }
            Path own = Path.of(
                    CommandProcess.class.getResource("CommandProcess.class").toURI());
            paths.add(own.resolve("../../../..").normalize().toString());
        } catch (URISyntaxException | IOException e) {
            throw new AssertionError(e);
        }
        Optional.ofNullable(System.getProperty("jdk.module.path")).ifPresent(paths::add);
        paths.add(System.getProperty("java.class.path"));
        return String.join(File.pathSeparator, paths);
    }
}
