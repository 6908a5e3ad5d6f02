package dev.caisson.cli.stats;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.Leftovers;
import dev.caisson.engine.RunningContainer;
import dev.caisson.engine.Survey;
import dev.caisson.engine.Survey.Sample;
import dev.caisson.engine.Survey.Total;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson stats`: what running containers use, live on a terminal, once for programs.
@Command(
        name = "stats",
        sortOptions = false,
        description =
                "Show what running containers and tenants use: processors, memory, processes, files written, disks, networks, stalls.")
public final class StatsCommand implements Callable<Integer> {
    /// For people, for programs, and for Prometheus with the names that cAdvisor uses; all else is a template.
    private static final String TEXT = "text";

    private static final String JSON = "json";
    private static final String PROMETHEUS = "prometheus";
    private static final List<String> WORDS = List.of(TEXT, JSON, PROMETHEUS);
    private static final String HOME = "\u001b[H";
    private static final String CLEAR_LINE = "\u001b[K";
    private static final String CLEAR_BELOW = "\u001b[J";
    private static final String CLEAR_ALL = "\u001b[2J";
    private static final Duration LEAST_INTERVAL = Duration.ofMillis(100);
    private static final int SPARKLINE = 10;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--no-stream",
            description = "Print the figures once and end; so does an output that is no terminal.")
    private boolean once;

    @Option(
            names = "--interval",
            paramLabel = "DURATION",
            defaultValue = "1s",
            description = "Time between two looks (default: ${DEFAULT-VALUE}).")
    private String interval = "1s";

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description =
                    "text for people, json for programs, prometheus with cAdvisor's names, or a template in docker's words: 'table {{.Name}}\\t{{.MemUsage}}' (default: ${DEFAULT-VALUE}).")
    private String format = TEXT;

    @Parameters(paramLabel = "CONTAINER", description = "The beginning of an id, or a name; none for all.")
    private List<String> containers = List.of();

    private final Map<String, Sparkline> cpu = new HashMap<>();
    private final Map<String, Sparkline> memory = new HashMap<>();

    @Override
    public Integer call() throws InterruptedException {
        Duration pause = OptionText.duration("--interval", interval);
        if (pause.compareTo(LEAST_INTERVAL) < 0) {
            throw CommandException.usage("--interval is at least 100ms, not '" + interval + "'");
        }
        String wanted = wanted();
        Optional<Table> table = WORDS.contains(wanted)
                ? Optional.empty()
                : Optional.of(Table.of(wanted, StatsRow.COLUMNS, StatsRow.HEADERS));
        Leftovers.clear(Caller.current().directories());
        try (var survey = new Survey(Caller.current().directories())) {
            PrintWriter out = spec.commandLine().getOut();
            if (wanted.equals(PROMETHEUS)) {
                List<Sample> samples = chosen(survey);
                out.print(PrometheusText.of(samples, totals(survey, samples)));
                return 0;
            }
            if (!once && wanted.equals(TEXT) && Caller.current().colours().output()) {
                live(survey, pause, out);
                return 0;
            }
            Caller.current().leaveSignals();
            List<Sample> before = chosen(survey);
            List<Total> totalsBefore = totals(survey, before);
            Thread.sleep(pause);
            List<Sample> now = chosen(survey);
            List<Total> totals = totals(survey, now);
            if (table.isPresent()) {
                table.get().lines(rows(byId(before), now)).forEach(line -> out.println(line.stripTrailing()));
            } else if (wanted.equals(JSON)) {
                out.println(StatsJson.of(byId(before), now, byPath(totalsBefore), totals));
            } else {
                var lines = new StatsLine(Integer.MAX_VALUE);
                print(out, lines, byId(before), now, "\n");
                printTotals(out, lines, byPath(totalsBefore), totals, "\n");
            }
            return 0;
        }
    }

    private String wanted() {
        String word = format.toLowerCase(Locale.ROOT);
        if (WORDS.contains(word)) {
            return word;
        }
        if (format.contains("{{") || format.equals("table")) {
            return format;
        }
        throw CommandException.usage(
                "--format is text, json, prometheus, table or a template such as '{{.Name}} {{.MemUsage}}', not '"
                        + format + "'");
    }

    private static List<Map<String, Object>> rows(Map<String, Sample> before, List<Sample> now) {
        return now.stream()
                .map(sample -> StatsRow.of(before.getOrDefault(sample.id(), sample), sample))
                .toList();
    }

    /// Draws the figures again and again, in as many columns as the terminal has.
    private void live(Survey survey, Duration pause, PrintWriter out) throws InterruptedException {
        try (var screen = new LiveScreen()) {
            List<Sample> before = chosen(survey);
            List<Total> totalsBefore = totals(survey, before);
            out.print(CLEAR_ALL);
            out.flush();
            while (screen.pause(pause)) {
                List<Sample> now = chosen(survey);
                List<Total> totals = totals(survey, now);
                var lines = new StatsLine(screen.columns());
                out.print(HOME);
                print(out, lines, byId(before), now, CLEAR_LINE + "\r\n");
                printTotals(out, lines, byPath(totalsBefore), totals, CLEAR_LINE + "\r\n");
                out.print("q ends" + CLEAR_BELOW + "\r");
                out.flush();
                before = now;
                totalsBefore = totals;
            }
            out.print(CLEAR_LINE);
        }
    }

    private static Map<String, Sample> byId(List<Sample> samples) {
        return samples.stream().collect(Collectors.toMap(Sample::id, Function.identity()));
    }

    private List<Sample> chosen(Survey survey) {
        List<Sample> all = survey.read();
        if (containers.isEmpty()) {
            return all;
        }
        Map<String, Sample> byId = byId(all);
        return containers.stream()
                .map(container -> RunningContainer.find(
                                container, Caller.current().directories())
                        .map(running -> byId.get(running.id().value()))
                        .orElseThrow(() -> new CommandException(
                                "CONTAINER_UNKNOWN",
                                CommandException.ENGINE_FAILED,
                                "no such container: " + container + ": 'caisson ps' lists those that run")))
                .distinct()
                .toList();
    }

    private void print(PrintWriter out, StatsLine lines, Map<String, Sample> before, List<Sample> now, String end) {
        boolean live = !end.equals("\n");
        out.print(lines.header() + end);
        for (Sample sample : now) {
            Sample earlier = before.getOrDefault(sample.id(), sample);
            out.print(lines.of(
                            earlier,
                            sample,
                            live ? drawn(cpu, sample.id(), StatsLine.processors(earlier, sample)) : "",
                            live ? drawn(memory, sample.id(), StatsLine.memoryPart(sample)) : "")
                    + end);
        }
        cpu.keySet().retainAll(now.stream().map(Sample::id).toList());
        memory.keySet().retainAll(now.stream().map(Sample::id).toList());
    }

    /// Tenants are told where all of their containers are.
    private List<Total> totals(Survey survey, List<Sample> samples) {
        return containers.isEmpty() ? survey.totals(samples) : List.of();
    }

    private static Map<String, Total> byPath(List<Total> totals) {
        return totals.stream().collect(Collectors.toMap(Total::path, Function.identity()));
    }

    private static void printTotals(
            PrintWriter out, StatsLine lines, Map<String, Total> before, List<Total> now, String end) {
        for (Total total : now) {
            out.print(lines.of(before.getOrDefault(total.path(), total), total) + end);
        }
    }

    private static String drawn(Map<String, Sparkline> lines, String id, double value) {
        Sparkline line = lines.computeIfAbsent(id, _ -> new Sparkline(SPARKLINE));
        line.add(value);
        return line.draw(1);
    }
}
