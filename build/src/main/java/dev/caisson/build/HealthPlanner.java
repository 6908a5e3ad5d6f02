package dev.caisson.build;

import dev.caisson.build.Settings.Health;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.JsonWords;
import dev.caisson.containerfile.dockerfile.LogicalText;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads a `HEALTHCHECK`.
final class HealthPlanner {
    static final Set<String> FLAGS = Set.of("interval", "timeout", "start-period", "start-interval", "retries");

    private static final Pattern PART = Pattern.compile("(\\d{1,12}(?:\\.\\d{1,9})?)(ns|us|µs|ms|s|m|h)");
    private static final long LEAST = 1_000_000;

    private final Scope scope;

    HealthPlanner(Scope scope) {
        this.scope = scope;
    }

    Health plan(Instruction instruction) {
        var flags = new Flags(instruction, scope, FLAGS);
        LogicalText text = instruction.arguments();
        var words = new WordSplitter(text, '\\');
        String kind = words.next() ? words.word().value() : "";
        if (kind.equalsIgnoreCase("NONE")) {
            if (words.next() || !instruction.flags().isEmpty()) {
                throw bad(instruction, "HEALTHCHECK NONE takes nothing else");
            }
            return new Health(List.of("NONE"), 0, 0, 0, 0, 0);
        }
        if (!kind.equalsIgnoreCase("CMD")) {
            throw bad(instruction, "HEALTHCHECK takes CMD or NONE, not " + kind);
        }
        LogicalText command = text.slice(words.end(), text.length()).strip();
        if (command.isBlank()) {
            throw bad(instruction, "HEALTHCHECK CMD has no command");
        }
        return new Health(
                test(command),
                time(instruction, flags, "interval"),
                time(instruction, flags, "timeout"),
                time(instruction, flags, "start-period"),
                time(instruction, flags, "start-interval"),
                retries(instruction, flags));
    }

    private static List<String> test(LogicalText command) {
        Optional<List<Word>> exec = JsonWords.parse(command);
        if (exec.isPresent()) {
            var words = new ArrayList<>(List.of("CMD"));
            exec.get().forEach(word -> words.add(word.value()));
            return List.copyOf(words);
        }
        return List.of("CMD-SHELL", command.text()); // the shell is the image's, if it has one
    }

    private static int retries(Instruction instruction, Flags flags) {
        String text = flags.text("retries").orElse("0");
        if (!text.matches("\\d{1,6}")) {
            throw bad(instruction, "--retries=" + text + " is not a number from 0 to 999999");
        }
        return Integer.parseInt(text);
    }

    private static long time(Instruction instruction, Flags flags, String name) {
        Optional<String> given = flags.text(name);
        if (given.isEmpty()) {
            return 0;
        }
        long nanos = nanos(given.get()).orElse(-1L);
        if (nanos < 0 || (nanos > 0 && nanos < LEAST)) {
            throw bad(instruction, "--" + name + "=" + given.get() + " is not a time of at least 1ms: write it as 30s");
        }
        return nanos;
    }

    /// Reads a duration as Go writes it, `1m30s`.
    static Optional<Long> nanos(String text) {
        if (text.equals("0")) {
            return Optional.of(0L);
        }
        Matcher part = PART.matcher(text);
        var sum = BigDecimal.ZERO;
        int at = 0;
        while (at < text.length()) {
            if (!part.find(at) || part.start() != at) {
                return Optional.empty();
            }
            sum = sum.add(new BigDecimal(part.group(1)).multiply(BigDecimal.valueOf(nanosOf(part.group(2)))));
            at = part.end();
        }
        boolean fits = at > 0 && sum.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0;
        return fits ? Optional.of(sum.longValue()) : Optional.empty();
    }

    private static long nanosOf(String unit) {
        return switch (unit) {
            case "ns" -> 1L;
            case "us", "µs" -> 1_000L;
            case "ms" -> 1_000_000L;
            case "s" -> 1_000_000_000L;
            case "m" -> 60_000_000_000L;
            default -> 3_600_000_000_000L; // h
        };
    }

    private static BuildException bad(Instruction instruction, String what) {
        return new BuildException("BUILD_HEALTHCHECK", instruction.place(), what + ": mend the line");
    }
}
