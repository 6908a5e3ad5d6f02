package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.DenialText;
import dev.caisson.cli.text.EndText;
import dev.caisson.cli.text.OutputFormat;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunResult;
import dev.caisson.state.LogEntry;
import dev.caisson.state.LogReader;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson logs`: what a container wrote, each stream where the program wrote it, then how the container ended and
/// which system calls and destinations it was denied.
@Command(
        name = "logs",
        sortOptions = false,
        description =
                "Show what a container wrote, how it ended and which system calls and destinations it was denied; of one "
                        + "that runs or has ended, and was started without --rm.",
        footer = {
            "%n  caisson logs --tail 20 web",
            "  caisson logs -f --since 10m web",
            "  caisson logs --format json web | jq -r 'select(.end).end.denials[]?.call'"
        })
public final class LogsCommand implements Callable<Integer> {
    private static final long PAUSE_MILLIS = 50;
    /// Docker's format.
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSSX", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on until the container ends.")
    private boolean follow;

    @Option(
            names = {"-n", "--tail"},
            paramLabel = "NUMBER",
            defaultValue = "all",
            description = "Of what is there only so many of the last lines (default: ${DEFAULT-VALUE}).")
    private String tail = "all";

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description =
                    "Only what was written since: 2026-01-31T10:00:00Z, seconds since 1970, or 10m for ten minutes ago.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "TIME", description = "Only what was written until then.")
    private @Nullable String until;

    @Option(
            names = {"-t", "--timestamps"},
            description = "Put the time before each line.")
    private boolean timestamps;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text for people, json for programs, an object a line (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TEXT;

    @Parameters(paramLabel = "CONTAINER", description = "The beginning of its id, or its name.")
    private String container = "";

    @Override
    public Integer call() throws InterruptedException {
        Instant now = Instant.now();
        Instant first = since == null ? Instant.MIN : LogTime.parse("--since", since, now);
        Instant last = until == null ? Instant.MAX : LogTime.parse("--until", until, now);
        OptionalLong count = count();
        KeptContainer kept = KeptContainer.find(container, Caller.current().directories());
        boolean running;
        LogLines lines =
                new LogLines(spec.commandLine().getOut(), spec.commandLine().getErr());
        try (LogReader log = kept.log(count)) {
            boolean goesOn;
            do {
                running = kept.isRunning(); // before its log is read: what is told to have ended has been read whole
                goesOn = follow && running && Instant.now().isBefore(last);
                if (!printAll(lines, log, first, last)) {
                    return 0; // nobody reads it
                }
                if (goesOn) {
                    Thread.sleep(PAUSE_MILLIS);
                }
            } while (goesOn);
            lines.endLine();
            tellGaps(kept, log);
        }
        tellEnd(kept, running);
        return 0;
    }

    private OptionalLong count() {
        if (tail.equals("all") || tail.equals("-1")) {
            return OptionalLong.empty();
        }
        if (!tail.matches("[0-9]{1,9}")) {
            throw CommandException.usage("--tail takes a number of lines or 'all', not '" + tail + "'");
        }
        return OptionalLong.of(Long.parseLong(tail));
    }

    /// Prints what there is.
    /// @return whether somebody reads it
    private boolean printAll(LogLines lines, LogReader log, Instant first, Instant last) {
        for (List<LogEntry> entries = log.next(); !entries.isEmpty(); entries = log.next()) {
            for (LogEntry entry : entries) {
                if (!entry.time().isBefore(first) && !entry.time().isAfter(last)) {
                    print(lines, entry);
                }
            }
            if (!lines.flush()) {
                return false;
            }
        }
        return true;
    }

    private void print(LogLines lines, LogEntry entry) {
        String time = TIME.format(entry.time());
        switch (format) {
            case JSON -> lines.json(entry, time);
            case TEXT -> lines.text(entry, timestamps ? time + " " : "");
        }
    }

    private void tellGaps(KeptContainer kept, LogReader log) {
        PrintWriter err = spec.commandLine().getErr();
        kept.logFailure()
                .ifPresent(why -> err.println("caisson: the log ends before the output did, it could not be written ("
                        + OneLine.of(why) + ")"));
        if (log.hasGap()) {
            err.println("caisson: lines are missing here, which were written faster than they were read");
        }
        if (log.unreadable() > 0) {
            err.println("caisson: " + log.unreadable() + " lines of the log's files cannot be read");
        }
    }

    private void tellEnd(KeptContainer kept, boolean running) {
        Optional<RunResult> result = running ? Optional.empty() : kept.result();
        switch (format) {
            case JSON -> {
                PrintWriter out = spec.commandLine().getOut();
                out.println(EndJson.of(kept, running, result));
            }
            case TEXT -> {
                List<String> lines = result.map(EndText::ofLog).orElseGet(() -> soFar(kept));
                PrintWriter err = spec.commandLine().getErr();
                if (result.isEmpty() && !running) {
                    err.println("caisson: KILLED: its engine ended before it could tell how the container did");
                }
                lines.forEach(err::println);
            }
        }
    }

    private static List<String> soFar(KeptContainer kept) {
        return Stream.of(
                        EndText.setId(kept.setIdPrograms()),
                        DenialText.lines(kept.denials()),
                        DenialText.destinations(kept.deniedDestinations()))
                .flatMap(List::stream)
                .toList();
    }
}
