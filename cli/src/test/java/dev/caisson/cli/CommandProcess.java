package dev.caisson.cli;

import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The command as a process of its own, of the classes under test.
final class CommandProcess {
    private CommandProcess() {}

    /// The words that start it.
    static List<String> words(String... arguments) {
        var words = new ArrayList<String>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(List.of(
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                Main.class.getName()));
        words.addAll(List.of(arguments));
        return words;
    }

    private static String classPath() {
        var paths = new ArrayList<String>();
        try {
            Path own = Path.of(
                    CommandProcess.class.getResource("CommandProcess.class").toURI());
            paths.add(own.resolve("../../../..").normalize().toString());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
        Optional.ofNullable(System.getProperty("jdk.module.path")).ifPresent(paths::add);
        paths.add(System.getProperty("java.class.path"));
        return String.join(File.pathSeparator, paths);
    }
}
