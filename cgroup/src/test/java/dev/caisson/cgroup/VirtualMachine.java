package dev.caisson.cgroup;

import static java.util.stream.Collectors.joining;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;

/// A machine with control groups of version 2 only, made for one run of `tools/vm-run`.
final class VirtualMachine {
    private static final int SECONDS = 240;

    private VirtualMachine() {}

    /// What was printed, and the status of the command; 124 and 125 are the machine's own.
    record Result(int status, String output) {}

    /// Runs test classes of this module in the machine, on the class path that this process has.
    static Result runTests(List<String> options, Class<?>... classes) throws IOException, InterruptedException {
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
        Arrays.stream(classes).map(Class::getName).forEach(command::add);
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
