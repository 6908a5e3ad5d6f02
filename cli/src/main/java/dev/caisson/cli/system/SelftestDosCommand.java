package dev.caisson.cli.system;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.selftest.Attack;
import dev.caisson.selftest.Attacks;
import dev.caisson.selftest.Comparison;
import dev.caisson.selftest.DockerDaemon;
import dev.caisson.selftest.DockerSuite;
import dev.caisson.selftest.DosSuite;
import dev.caisson.selftest.Outcome;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson selftest dos`: attacks the host from containers with the default limits, and for comparison from those of a
/// dockerd of its own where one is installed.
@Command(
        name = "dos",
        sortOptions = false,
        description =
                "Attack this host from containers with the default limits, inside an outer group that bounds them.")
final class SelftestDosCommand implements Callable<Integer> {
    private static final String LINE = "%-18s %-27s %-46s %9s %11s  %s";

    /// How the table is written.
    enum Format {
        /// Text for a person, while it runs.
        TEXT,
        /// A table for a document.
        MARKDOWN,
        /// One line for a program.
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

    @Option(
            names = "--without-docker",
            description =
                    "Leave out the comparison: the same attacks in containers of a dockerd with its default settings,"
                            + " of this test's own and bounded too, where one is installed.")
    private boolean withoutDocker;

    @Parameters(paramLabel = "ATTACK", description = "Attacks to run; none for all.")
    private List<String> names = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        List<Attack> attacks = chosen();
        if (list) {
            attacks.forEach(attack -> out.printf(Locale.ROOT, "%-18s %s%n", attack.name(), attack.aim()));
            return 0;
        }
        if (!DosSuite.isPossible()) {
            throw new CommandException(
                    "PERL_MISSING",
                    CommandException.ENGINE_FAILED,
                    "attackers are written in Perl: install perl, as with 'apt install perl-base'");
        }
        var rows = new ArrayList<Row>();
        EngineOptions options = Caller.current().directories();
        try (DosSuite suite = new DosSuite(options);
                DockerSuite docker = docker(options)) {
            head(out, docker != null);
            for (Attack attack : attacks) {
                Optional<String> missing = suite.missing(attack);
                if (missing.isPresent()) {
                    told(attack.name() + " is left out: " + missing.get());
                    continue;
                }
                Outcome outcome = suite.run(attack);
                Optional<Comparison> beside = docker == null || !DockerSuite.isComparable(attack)
                        ? Optional.empty()
                        : Optional.of(docker.run(attack));
                rows.add(new Row(outcome, beside));
                line(out, outcome, beside, docker != null);
                out.flush();
            }
        }
        if (format == Format.JSON) {
            out.println(json(rows));
        }
        return rows.stream().map(Row::outcome).allMatch(Outcome::held) ? 0 : 1;
    }

    /// An attack on us, and the same on dockerd where it was tried.
    private record Row(Outcome outcome, Optional<Comparison> docker) {}

    /// None where it is not wanted or not installed, or does not start, which is told.
    private @Nullable DockerSuite docker(EngineOptions options) throws InterruptedException {
        if (withoutDocker || !DockerDaemon.isPossible()) {
            return null;
        }
        try {
            return new DockerSuite(options.data());
        } catch (IOException e) {
            told("the comparison with dockerd is left out: " + e.getMessage());
            return null;
        }
    }

    private void told(String sentence) {
        spec.commandLine().getErr().println(OneLine.of(sentence));
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

    private void head(PrintWriter out, boolean withDocker) {
        switch (format) {
            case TEXT ->
                out.println(String.format(
                        Locale.ROOT,
                        LINE,
                        "ATTACK",
                        "STOPPED BY",
                        "WHAT THE CONTAINER SAW",
                        "MEMORY",
                        "NEIGHBOUR",
                        "HOST"));
            case MARKDOWN -> {
                out.println("| attack on | stopped by | what the container saw | most memory | slowest neighbour | |"
                        + (withDocker
                                ? " dockerd's default: stopped by | what its container saw | its neighbour |"
                                : ""));
                out.println("|---|---|---|--:|--:|---|" + (withDocker ? "---|---|---|" : ""));
            }
            case JSON -> {}
        }
    }

    private void line(PrintWriter out, Outcome outcome, Optional<Comparison> docker, boolean withDocker) {
        String neighbour = millis(outcome.neighbourWorst(), "-");
        String verdict = outcome.held() ? "held" : "FAILED: " + OneLine.of(String.join("; ", outcome.failures()));
        String seen = OneLine.of(outcome.seen());
        switch (format) {
            case TEXT -> {
                out.println(String.format(
                        Locale.ROOT,
                        LINE,
                        outcome.attack().name(),
                        outcome.attack().limit(),
                        seen,
                        outcome.peakMemory(),
                        neighbour,
                        verdict));
                docker.ifPresent(beside ->
                        out.println("  dockerd's default: " + beside.stoppedBy() + "; " + OneLine.of(beside.seen())
                                + "; memory " + beside.peakMemory() + neighbour("; neighbour ", beside)));
            }
            case MARKDOWN -> {
                var cells = new ArrayList<>(List.of(
                        outcome.attack().aim(),
                        outcome.attack().limit(),
                        seen,
                        outcome.peakMemory().toString(),
                        neighbour,
                        verdict));
                if (withDocker) {
                    cells.add(docker.map(Comparison::stoppedBy).orElse("-"));
                    cells.add(docker.map(beside -> OneLine.of(beside.seen())).orElse("-"));
                    cells.add(docker.map(beside -> neighbour("", beside)).orElse("-"));
                }
                out.println("| " + String.join(" | ", cells) + " |");
            }
            case JSON -> {}
        }
    }

    private static String neighbour(String before, Comparison beside) {
        if (beside.neighbour().isEmpty()) {
            return "";
        }
        return before
                + (beside.neighbour().equals("ok")
                        ? millis(beside.neighbourWorst(), "-")
                        : OneLine.of(beside.neighbour()));
    }

    private static String millis(Duration time, String none) {
        return time.isZero() ? none : time.toMillis() + " ms";
    }

    private static String json(List<Row> rows) {
        var text = new StringWriter();
        try (JsonWriter out = JsonStream.builder().build().writer(text)) {
            out.beginArray();
            for (Row row : rows) {
                Outcome outcome = row.outcome();
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
                row.docker().ifPresent(docker -> {
                    out.name("docker");
                    out.beginObject();
                    out.name("stoppedBy");
                    out.value(docker.stoppedBy());
                    out.name("seen");
                    out.value(docker.seen());
                    out.name("peakMemory");
                    out.value(docker.peakMemory().count());
                    out.name("neighbour");
                    out.value(docker.neighbour());
                    out.name("neighbourMillis");
                    out.value(docker.neighbourWorst().toMillis());
                    out.endObject();
                });
                out.endObject();
            }
            out.endArray();
        }
        return text.toString();
    }
}
