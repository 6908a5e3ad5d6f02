package dev.caisson.seccomp;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// libseccomp as a second compiler, through a small C program that is built on the spot. Needs gcc and Debian's package
/// libseccomp-dev.
final class Libseccomp {
    private static final Path HEADER = Path.of("/usr/include/seccomp.h");

    /// @param unknown names that this libseccomp has no number for
    record Output(Filter filter, Set<String> unknown, long nanoseconds) {}

    private final Path directory;

    Libseccomp(Path directory) throws IOException, InterruptedException {
        this.directory = directory;
        Path source = Files.writeString(directory.resolve("libseccomp.c"), Profile.resource("libseccomp.c"));
        run("", "gcc", "-O2", "-Wall", "-Werror", "-o", program(), source.toString(), "-lseccomp");
    }

    static boolean isInstalled() {
        return Files.exists(HEADER);
    }

    private String program() {
        return directory.resolve("libseccomp").toString();
    }

    /// @param tree whether to have a binary tree built instead of a list
    Output compile(Profile profile, Target target, boolean tree) throws IOException, InterruptedException {
        Path output = directory.resolve("libseccomp.bpf");
        Set<String> unknown = new HashSet<>();
        long nanoseconds = 0;
        for (String line : run(rules(profile, target), program(), tree ? "2" : "1", output.toString())
                .lines()
                .toList()) {
            String[] words = line.split(" ", 2);
            if (words[0].equals("unknown")) {
                unknown.add(words[1]);
            } else {
                nanoseconds = Long.parseLong(words[1]);
            }
        }
        return new Output(Filter.of(target.architecture(), Files.readAllBytes(output)), unknown, nanoseconds);
    }

    private static String rules(Profile profile, Target target) {
        var text = new StringBuilder();
        text.append("default ").append(unsigned(profile.defaultAction())).append('\n');
        text.append("arch ").append(name(target.architecture())).append('\n');
        profile.abisOn(target.architecture()).stream()
                .filter(abi -> abi != target.architecture())
                .forEach(abi -> text.append("arch ").append(name(abi)).append('\n'));
        for (Rule rule : profile.rules()) {
            if (rule.appliesTo(target)) {
                for (String name : rule.names()) {
                    text.append("rule ")
                            .append(unsigned(rule.action()))
                            .append(' ')
                            .append(name);
                    for (Condition condition : rule.conditions()) {
                        text.append(' ').append(condition.index());
                        text.append(' ')
                                .append(List.of(Condition.Operator.values()).indexOf(condition.operator()) + 1);
                        text.append(' ').append(Long.toUnsignedString(condition.value()));
                        text.append(' ').append(Long.toUnsignedString(condition.valueTwo()));
                    }
                    text.append('\n');
                }
            }
        }
        return text.toString();
    }

    private static String unsigned(Action action) {
        return Integer.toUnsignedString(action.returnValue());
    }

    private static String name(Architecture architecture) {
        return architecture.name().toLowerCase(Locale.ROOT);
    }

    static String run(String input, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new AssertionError(String.join(" ", command) + ": " + output);
        }
        return output;
    }
}
