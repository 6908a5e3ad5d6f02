package dev.caisson.cli;

import dev.caisson.selftest.Attack;
import dev.caisson.selftest.Attacks;
import dev.caisson.selftest.DosSuite;
import dev.caisson.selftest.Outcome;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson selftest dos`: attacks the host from containers with the default limits.
@Command(
        name = "dos",
        sortOptions = false,
        description =
                "Attack this host from containers with the default limits, inside an outer group that bounds them.")
final class SelftestDosCommand implements Callable<Integer> {
    private static final String LINE = "%-18s %-27s %-46s %9s %11s  %s";

    /// How the table is written.
    enum Format {
        /// For a person, as it goes.
        TEXT,
        /// For a document.
        MARKDOWN,
        /// For a program, one line.
        JSON
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text, markdown or json (default: ${DEFAULT-VALUE}).")
    private Format format = Format.TEXT;

    @Option(names = "--list", description = "Name the attacks and what each uses up.")
    private boolean list;

    @Parameters(paramLabel = "ATTACK", description = "Attacks to run; none for all.")
    private List<String> names = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        List<Attack> attacks = chosen();
        if (list) {
            attacks.forEach(attack -> out.printf("%-18s %s%n", attack.name(), attack.aim()));
            return 0;
        }
        if (!DosSuite.isPossible()) {
            throw new CommandException(
                    "PERL_MISSING",
                    CommandException.ENGINE_FAILED,
                    "attackers are written in Perl: install perl, as with 'apt install perl-base'");
        }
        var outcomes = new ArrayList<Outcome>();
        try (var suite = new DosSuite(Directories.options())) {
            head(out);
            for (Attack attack : attacks) {
                if (!suite.isPossible(attack)) {
                    spec.commandLine()
                            .getErr()
                            .println(attack.name() + " is left out: nothing here bounds a writable layer on disk");
                    continue;
                }
                Outcome outcome = suite.run(attack);
                outcomes.add(outcome);
                line(out, outcome);
                out.flush();
            }
        }
        if (format == Format.JSON) {
            out.println(json(outcomes));
        }
        return outcomes.stream().allMatch(Outcome::held) ? 0 : 1;
    }

    private List<Attack> chosen() {
        for (String name : names) {
            if (Attacks.all().stream().noneMatch(attack -> attack.name().equals(name))) {
                throw CommandException.usage("no attack is called '" + name + "'; see 'caisson selftest dos --list'");
            }
        }
        return Attacks.all().stream()
                .filter(attack -> names.isEmpty() || names.contains(attack.name()))
                .toList();
    }

    private void head(PrintWriter out) {
        switch (format) {
            case TEXT ->
                out.println(LINE.formatted(
                        "ATTACK", "STOPPED BY", "WHAT THE CONTAINER SAW", "MEMORY", "NEIGHBOUR", "HOST"));
            case MARKDOWN ->
                out.println("| attack on | stopped by | what the container saw | most memory | slowest neighbour | |\n"
                        + "|---|---|---|--:|--:|---|");
            case JSON -> {}
        }
    }

    private void line(PrintWriter out, Outcome outcome) {
        String neighbour = outcome.neighbourWorst().isZero()
                ? "-"
                : outcome.neighbourWorst().toMillis() + " ms";
        String verdict = outcome.held() ? "held" : "FAILED: " + OneLine.of(String.join("; ", outcome.failures()));
        String seen = OneLine.of(outcome.seen());
        switch (format) {
            case TEXT ->
                out.println(LINE.formatted(
                        outcome.attack().name(),
                        outcome.attack().limit(),
                        seen,
                        outcome.peakMemory(),
                        neighbour,
                        verdict));
            case MARKDOWN ->
                out.println("| "
                        + String.join(
                                " | ",
                                outcome.attack().aim(),
                                outcome.attack().limit(),
                                seen,
                                outcome.peakMemory().toString(),
                                neighbour,
                                verdict)
                        + " |");
            case JSON -> {}
        }
    }

    private static String json(List<Outcome> outcomes) {
        var text = new StringWriter();
        try (JsonWriter out = JsonStream.builder().build().writer(text)) {
            out.beginArray();
            for (Outcome outcome : outcomes) {
                out.beginObject();
                out.name("attack");
                out.value(outcome.attack().name());
                out.name("limit");
                out.value(outcome.attack().limit());
                out.name("seen");
                out.value(outcome.seen());
                out.name("peakMemory");
                out.value(outcome.peakMemory().count());
                out.name("peakPids");
                out.value(outcome.peakPids());
                out.name("neighbourMillis");
                out.value(outcome.neighbourWorst().toMillis());
                out.name("held");
                out.value(outcome.held());
                out.name("failures");
                out.beginArray();
                outcome.failures().forEach(out::value);
                out.endArray();
                out.endObject();
            }
            out.endArray();
        }
        return text.toString();
    }
}
