package dev.caisson.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A machine with control groups of version 2 only, made for one program of these tests.
final class EngineMachine {
    /// The machine's own kernel ended before the program did, which says nothing of it.
    private static final int MACHINE_DIED = 125;
    private static final int TRIES = 3;

    private EngineMachine() {}

    record Result(int status, String output) {}

    /// @param options of `tools/vm-run`
    static Result run(Class<?> main, String... options) throws IOException, InterruptedException {
        return run(main, new String[0], options);
    }

    /// @param arguments of the program
    static Result run(Class<?> main, String[] arguments, String... options) throws IOException, InterruptedException {
        var result = new Result(MACHINE_DIED, "");
        for (int tries = 0; tries < TRIES && result.status() == MACHINE_DIED; tries++) {
            Process machine = start(main, arguments, options);
            String output = new String(machine.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            result = new Result(machine.waitFor(), output);
        }
        return result;
    }

    private static Process start(Class<?> main, String[] arguments, String... options) throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("caisson.root"), "tools/vm-run").toString());
        command.addAll(List.of("-t", "280"));
        command.addAll(List.of(options));
        command.addAll(List.of(
                "--",
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                EngineProcess.classPath(),
                main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        return process;
    }
}
