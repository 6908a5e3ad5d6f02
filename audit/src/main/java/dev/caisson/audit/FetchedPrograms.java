package dev.caisson.audit;

import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.build.Step;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds files that a build fetches and then runs without a look at what they are: no checksum and no signature is
/// checked in between.
final class FetchedPrograms {
    private static final Pattern URL = Pattern.compile("(?i)(?:https?|ftp)://[^?#]*/([^/?#]+)(?:[?#].*)?");
    private static final String FETCH =
            "(?:iwr|irm|wget|curl|invoke-webrequest|invoke-restmethod|downloadstring|downloadfile|start-bitstransfer)";
    private static final String RUN = "(?:iex|invoke-expression)";
    private static final Pattern PIPED = Pattern.compile("(?i)\\b" + FETCH + "\\b[^;\\n]{0,500}\\|\\s*" + RUN + "\\b");
    private static final Pattern NESTED = Pattern.compile("(?i)\\b" + RUN + "\\b[^;\\n]{0,500}\\b" + FETCH + "\\b");
    private static final Pattern OUTPUT = Pattern.compile("(?i)-(?:outfile|destination)\\s+[\"']?([^\\s;\"']{1,200})");
    private static final Pattern HASHED = Pattern.compile("(?i)\\b(?:get-filehash|get-authenticodesignature)\\b");

    private FetchedPrograms() {}

    static List<Verdict> judge(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        Map<Stage, Map<String, ShellCommand>> fetched = new HashMap<>();
        unit.runs().forEach(step -> {
            Map<String, ShellCommand> files = fetched.computeIfAbsent(step.stage(), stage -> new HashMap<>());
            for (ShellCommand command : unit.commands(step)) {
                if (CommandRules.verifies(command)) {
                    files.clear();
                }
                run(command, files).ifPresent(verdicts::add);
                outputs(command).forEach(file -> files.put(file, command));
            }
            powerShell(step).ifPresent(verdicts::add);
        });
        return verdicts;
    }

    private static Optional<Verdict> run(ShellCommand command, Map<String, ShellCommand> files) {
        List<Word> words = command.words();
        if (words.isEmpty()) {
            return Optional.empty();
        }
        int program = words.size() - command.argumentWords().size() - 1;
        String name = words.get(Math.max(program, 0)).value();
        Optional<String> file = name.indexOf('/') >= 0 && files.containsKey(normal(name))
                ? Optional.of(normal(name))
                : Optional.empty();
        if (file.isEmpty() && CommandRules.INTERPRETERS.contains(command.name())) {
            file = command.arguments().stream()
                    .filter(argument -> !argument.startsWith("-"))
                    .limit(1)
                    .map(FetchedPrograms::normal)
                    .filter(files::containsKey)
                    .findFirst();
        }
        return file.map(path -> Verdict.fail(
                command.place(), "what was fetched to " + path + " is run, and no checksum of it was checked"));
    }

    /// The files that a fetching command writes.
    private static List<String> outputs(ShellCommand command) {
        if (!CommandRules.FETCHERS.contains(command.name())) {
            return List.of();
        }
        List<String> files = new ArrayList<>();
        command.redirections().forEach(word -> files.add(normal(word.value())));
        boolean wget = command.name().equals("wget");
        command.optionValue(wget ? "-O" : "-o", wget ? "--output-document" : "--output")
                .filter(file -> !file.equals("-"))
                .ifPresent(file -> files.add(normal(file)));
        // -o and -O may stand in a group of letters, as -fsSLo FILE
        List<String> arguments = command.arguments();
        for (int at = 0; at + 1 < arguments.size(); at++) {
            if (arguments.get(at).matches(wget ? "-[a-zA-Z]+O" : "-[a-zA-Z]+o")) {
                files.add(normal(arguments.get(at + 1)));
            }
        }
        boolean named = wget || command.hasOption("-O", "--remote-name");
        if (files.isEmpty() && named) {
            arguments.forEach(argument -> {
                Matcher url = URL.matcher(argument);
                if (url.matches()) {
                    files.add(normal(url.group(1)));
                }
            });
        }
        return files;
    }

    private static String normal(String path) {
        return path.startsWith("./") ? path.substring(2) : path;
    }

    private static Optional<Verdict> powerShell(Step step) {
        String text = step.instruction().arguments().text();
        if (PIPED.matcher(text).find() || NESTED.matcher(text).find()) {
            return Optional.of(Verdict.fail(step.instruction().place(), "what the network sends is run by PowerShell"));
        }
        Matcher output = OUTPUT.matcher(text);
        while (output.find() && !HASHED.matcher(text).find()) {
            String file = output.group(1);
            String name = file.substring(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
            boolean run = Pattern.compile("(?i)(?:&|start-process|\\.[\\\\/]|;|\\bmsiexec\\b[^;]*)\\s*[\"']?[^\\s;\"']*"
                            + Pattern.quote(name))
                    .matcher(text.substring(output.end()))
                    .find();
            if (run) {
                return Optional.of(Verdict.fail(
                        step.instruction().place(),
                        "what was fetched to " + file + " is run, and no checksum of it was checked"));
            }
        }
        return Optional.empty();
    }
}
