package dev.caisson.audit;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.build.EffectiveImage;
import dev.caisson.containerfile.build.Step;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Compares an image's history with the final stage of a Dockerfile. Builders write into the history what they did:
/// with the shell before each command, variables replaced, and names of their own for what was copied. What can be
/// known of that beforehand must be there; what a build argument may have decided is compared in a second look only.
final class ImageHistory {
    /// How well a Dockerfile fits.
    enum Fit {
        NONE,
        /// With other values of its build arguments than their defaults.
        OTHER_ARGUMENTS,
        EXACT
    }

    private static final Set<Keyword> KEPT = Set.of(
            Keyword.RUN,
            Keyword.CMD,
            Keyword.ENTRYPOINT,
            Keyword.USER,
            Keyword.EXPOSE,
            Keyword.COPY,
            Keyword.ADD,
            Keyword.WORKDIR,
            Keyword.HEALTHCHECK,
            Keyword.VOLUME,
            Keyword.STOPSIGNAL);
    private static final List<String> DEFAULT_SHELL = List.of("/bin/sh", "-c");
    /// The text that the classic builder writes for everything but `RUN`: the shell, then a comment for it.
    private static final Pattern NO_COMMAND = Pattern.compile("^.*?#\\(nop\\) (.*)$");
    private static final Pattern KEYWORD = Pattern.compile("^([A-Z]+) (.*)$");
    private static final Pattern QUOTED = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern NUMBER = Pattern.compile("[0-9]+");
    private static final Pattern ARGUMENT = Pattern.compile("(?<= )([A-Za-z_][A-Za-z0-9_]*)=");

    /// A step of a builder.
    private record Entry(Keyword keyword, String text) {}

    private ImageHistory() {}

    /// @param history the commands of the image's history, oldest first
    static Fit fit(List<String> history, EffectiveImage image) {
        List<Entry> done =
                history.stream().flatMap(entry -> entry(entry).stream()).toList();
        List<String> shell = DEFAULT_SHELL;
        List<Step> steps = new ArrayList<>();
        List<List<String>> shells = new ArrayList<>();
        for (Step step : image.steps()) {
            Instruction instruction = step.instruction();
            if (instruction.keyword() == Keyword.SHELL) {
                shell = instruction.json().orElse(List.of()).stream()
                        .map(Word::value)
                        .toList();
            } else if (step.stage().equals(image.stage()) && KEPT.contains(instruction.keyword())) {
                steps.add(step);
                shells.add(shell);
            }
        }
        if (steps.isEmpty() || done.size() < steps.size()) {
            return Fit.NONE;
        }
        List<Entry> newest = done.subList(done.size() - steps.size(), done.size());
        Fit fit = Fit.EXACT;
        for (int at = 0; at < steps.size(); at++) {
            if (!agrees(newest.get(at), steps.get(at), shells.get(at), false)) {
                return Fit.NONE;
            }
            if (!agrees(newest.get(at), steps.get(at), shells.get(at), true)) {
                fit = Fit.OTHER_ARGUMENTS;
            }
        }
        return fit;
    }

    private static Optional<Entry> entry(String text) {
        String line = text.strip().replaceAll("\\s+", " ").replaceFirst(" # buildkit$", "");
        Matcher nothing = NO_COMMAND.matcher(line);
        String rest = nothing.matches() ? nothing.group(1).strip() : line;
        Matcher keyword = KEYWORD.matcher(rest);
        Optional<Keyword> known = keyword.matches() ? Keyword.of(keyword.group(1)) : Optional.empty();
        if (known.isPresent()) {
            return known.filter(KEPT::contains)
                    .map(kept -> new Entry(kept, keyword.group(2).strip()));
        }
        return nothing.matches() ? Optional.empty() : Optional.of(new Entry(Keyword.RUN, rest));
    }

    private static boolean agrees(Entry done, Step step, List<String> shell, boolean defaults) {
        if (done.keyword() != step.instruction().keyword()) {
            return false;
        }
        return switch (done.keyword()) {
            case RUN -> ran(done.text(), step, shell, defaults);
            case CMD, ENTRYPOINT -> quoted(done.text()).equals(program(step.instruction(), shell));
            case HEALTHCHECK -> health(done.text(), step.instruction());
            case COPY, ADD -> copied(done.text(), step, defaults);
            case USER, STOPSIGNAL ->
                words(step, defaults)
                        .map(words -> done.text().equals(String.join(" ", words)))
                        .orElse(true);
            case WORKDIR ->
                words(step, defaults)
                        .map(words -> endsWith(done.text(), String.join(" ", words)))
                        .orElse(true);
            case EXPOSE ->
                words(step, defaults)
                        .filter(words -> words.stream().noneMatch(port -> port.contains("-")))
                        .map(words -> numbers(done.text()).equals(numbers(String.join(" ", words))))
                        .orElse(true);
            case VOLUME ->
                words(step, defaults)
                        .map(words -> Set.copyOf(words).equals(Set.copyOf(listed(done.text()))))
                        .orElse(true);
            case ARG, ENV, FROM, LABEL, MAINTAINER, ONBUILD, SHELL ->
                throw new IllegalStateException("the history's " + done.keyword() + " is not compared");
        };
    }

    /// `|1 A=b /bin/sh -c x` is what was run with the build argument A.
    private static boolean ran(String done, Step step, List<String> shell, boolean defaults) {
        Instruction instruction = step.instruction();
        boolean document = !instruction.heredocs().isEmpty();
        String command = instruction
                .json()
                .map(words -> words.stream().map(Word::value).collect(Collectors.joining(" ")))
                .orElseGet(() -> String.join(" ", shell) + " "
                        + (document ? "" : instruction.arguments().text()));
        String wanted = command.strip().replaceAll("\\s+", " ");
        if (document) {
            return done.contains(wanted);
        }
        if (done.equals(wanted)) {
            return true;
        }
        if (!done.startsWith("|") || !done.endsWith(" " + wanted)) {
            return false;
        }
        String arguments = done.substring(0, done.length() - wanted.length());
        Matcher argument = ARGUMENT.matcher(arguments);
        while (defaults && argument.find()) {
            String value = step.variables().get(argument.group(1));
            if (value != null && !arguments.startsWith(value + " ", argument.end())) {
                return false;
            }
        }
        return true;
    }

    private static List<String> program(Instruction instruction, List<String> shell) {
        return instruction
                .json()
                .map(words -> words.stream()
                        .map(word -> word.value().replaceAll("\\s+", " "))
                        .toList())
                .orElseGet(() -> Stream.concat(
                                shell.stream(),
                                Stream.of(instruction.arguments().text().strip().replaceAll("\\s+", " ")))
                        .toList());
    }

    private static boolean health(String done, Instruction instruction) {
        String text = instruction.arguments().text().strip().replaceAll("\\s+", " ");
        if (text.equals("NONE")) {
            return quoted(done).contains("NONE") || done.equals("NONE");
        }
        String command = text.replaceFirst("^CMD ", "");
        return command.startsWith("[") || quoted(done).contains(command) || done.endsWith(command);
    }

    /// True if a step copied; the source may stand there as a checksum, the target never does.
    private static boolean copied(String done, Step step, boolean defaults) {
        if (!step.instruction().heredocs().isEmpty()) {
            return true;
        }
        List<Word> all = step.words();
        Optional<String> target = all.isEmpty() ? Optional.empty() : word(step, all.getLast(), defaults);
        return target.filter(path -> path.startsWith("/") && path.indexOf(' ') < 0)
                .map(path -> endsWith(done.substring(done.lastIndexOf(' ') + 1), path))
                .orElse(true);
    }

    private static boolean endsWith(String done, String path) {
        String found = done.replaceFirst("(?<=.)/$", "");
        String wanted = path.replaceFirst("(?<=.)/$", "");
        return wanted.startsWith("/") ? found.equals(wanted) : wanted.contains(".") || found.endsWith("/" + wanted);
    }

    /// The words of an instruction, unless a variable in them may have had another value.
    private static Optional<List<String>> words(Step step, boolean defaults) {
        List<String> words = new ArrayList<>();
        for (Word word : step.words()) {
            Optional<String> value = word(step, word, defaults);
            if (value.isEmpty()) {
                return Optional.empty();
            }
            words.add(value.get());
        }
        return Optional.of(words);
    }

    private static Optional<String> word(Step step, Word word, boolean defaults) {
        if (word.raw().indexOf('$') < 0) {
            return Optional.of(word.value());
        }
        try {
            return Optional.of(step.expand(word)).filter(text -> defaults && text.indexOf('$') < 0);
        } catch (ContainerFileException e) {
            return Optional.empty();
        }
    }

    private static List<String> quoted(String text) {
        return QUOTED.matcher(text)
                .results()
                .map(found -> found.group(1).replaceAll("\\\\(.)", "$1").replaceAll("\\s+", " "))
                .toList();
    }

    private static List<String> listed(String text) {
        return Stream.of(text.split("[\\s\\[\\],\"]+", -1))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    private static Set<String> numbers(String text) {
        return NUMBER.matcher(text)
                .results()
                .map(found -> found.group())
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
