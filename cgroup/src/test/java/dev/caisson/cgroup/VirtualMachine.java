package dev.caisson.cgroup;

import static java.util.stream.Collectors.joining;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/// A machine with control groups of version 2 only, made for one run of `tools/vm-run`.
final class VirtualMachine {
    private static final int SECONDS = 240;

    /// The machine's own kernel ended before the tests did, which says nothing of them.
    private static final int MACHINE_DIED = 125;

    private static final int TRIES = 3;

    private VirtualMachine() {}

    /// What was printed, and the status of the command; 124 and 125 are the machine's own.
    record Result(int status, String output) {}

    /// Runs tests of this module in the machine, on the class path that this process has.
    /// @param options of `tools/vm-run`
    /// @param tests names of classes, or `CLASS#METHOD`
    static Result runTests(List<String> options, String... tests) throws IOException, InterruptedException {
        var result = new Result(MACHINE_DIED, "");
        for (int tries = 0; tries < TRIES && result.status() == MACHINE_DIED; tries++) {
            result = tryTests(options, tests);
        }
        return result;
    }

    private static Result tryTests(List<String> options, String... tests) throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("caisson.root"), "tools/vm-run").toString());
        command.addAll(List.of("-t", Integer.toString(SECONDS)));
        command.addAll(options);
        command.addAll(List.of(
                "--",
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                GuestTests.class.getName()));
        command.addAll(List.of(tests));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }

    /// Modules and class path of this process, and where its tests were compiled to.
    private static String classPath() {
        var entries = new LinkedHashSet<String>();
        for (String property : List.of("jdk.module.path", "java.class.path")) {
            entries.addAll(List.of(System.getProperty(property, "").split(File.pathSeparator, -1)));
        }
        entries.add(Path.of(System.getProperty("caisson.root"), "cgroup/target/test-classes")
                .toString());
        entries.remove("");
        return entries.stream()
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(joining(File.pathSeparator));
    }
}
