package dev.caisson.hostaudit;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A whole machine that is emulated for one program of these tests. It sees this machine's files, and writes to one
/// directory alone.
final class EmulatedMachine {
    /// The machine's own kernel ended before the program did, which says nothing of it.
    private static final int MACHINE_DIED = 125;

    private static final int TRIES = 3;

    private EmulatedMachine() {}

    /// What was printed, and the status of the program; 124 and 125 are the machine's own.
    record Result(int status, String output) {}

    /// @param work where it may write
    /// @param words for its kernel
    static Result run(Path work, List<String> words, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("caisson.root"), "tools/vm-run").toString());
        command.addAll(List.of("-a", "tcg", "-t", "280", "-w", work.toString()));
        words.forEach(word -> command.addAll(List.of("-k", word)));
        command.addAll(List.of(
                "--",
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                main.getName()));
        command.addAll(List.of(arguments));
        var result = new Result(MACHINE_DIED, "");
        for (int tries = 0; tries < TRIES && result.status() == MACHINE_DIED; tries++) {
            Process machine =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            machine.getOutputStream().close();
            String output = new String(machine.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            result = new Result(machine.waitFor(), output);
        }
        return result;
    }

    /// Modules and classes that this process has, for another one.
    static String classPath() {
        try {
            Path tests = Path.of(Objects.requireNonNull(EmulatedMachine.class.getResource("EmulatedMachine.class"))
                            .toURI())
                    .resolve("../../../..")
                    .normalize();
            return Stream.of(
                            tests.toString(),
                            System.getProperty("jdk.module.path", ""),
                            System.getProperty("java.class.path", ""))
                    .filter(part -> !part.isEmpty())
                    .collect(Collectors.joining(":"));
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
