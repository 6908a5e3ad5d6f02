package dev.caisson.cli;

import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.Leftovers;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.Verdict;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson ps`: the containers that run, and with `-a` those that are kept after their end.
@Command(
        name = "ps",
        sortOptions = false,
        description = "List the containers that run, or with -a also those that have ended and are kept.")
final class ListCommand implements Callable<Integer> {
    private static final int LONGEST_COMMAND = 28;
    private static final String ROW = "%-14s %-20s %-30s %-16s %-32s %s";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--all"},
            description = "Those too that have ended and are kept.")
    private boolean all;

    @Option(
            names = {"-q", "--quiet"},
            description = "Ids alone.")
    private boolean quiet;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text for people, json for programs, an object a line (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TEXT;

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "KEY=VALUE",
            description = "Only those with label=KEY[=VALUE], name=PART, id=BEGINNING or status=running|exited|dead.")
    private List<String> filters = List.of();

    @Override
    public Integer call() {
        ContainerFilter filter = ContainerFilter.parse(filters);
        Leftovers.clear(Directories.options());
        PrintWriter out = spec.commandLine().getOut();
        List<ContainerStatus> containers = ContainerStatus.all(Directories.options()).stream()
                .filter(container -> all || filter.mentionsStatus() || container.running())
                .filter(filter::accepts)
                .toList();
        if (quiet) {
            containers.forEach(container -> out.println(container.id().shortForm()));
            return 0;
        }
        switch (format) {
            case JSON -> containers.forEach(container -> out.println(json(container)));
            case TEXT -> {
                out.println(ROW.formatted("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAMES"));
                Instant now = Instant.now();
                containers.forEach(container -> out.println(row(container, now).stripTrailing()));
            }
        }
        return 0;
    }

    private static String row(ContainerStatus container, Instant now) {
        String command = OneLine.of(String.join(" ", container.command()));
        return ROW.formatted(
                container.id().shortForm(),
                OneLine.of(container.image()),
                '"'
                        + (command.length() <= LONGEST_COMMAND
                                ? command
                                : command.substring(0, LONGEST_COMMAND - 1) + "…")
                        + '"',
                age(container.created(), now) + " ago",
                status(container, now),
                container.name().orElse(""));
    }

    /// In Docker's words; dead is one whose engine was killed.
    static String state(ContainerStatus container) {
        if (container.running()) {
            return "running";
        }
        return container.result().isEmpty() ? "dead" : "exited";
    }

    static String status(ContainerStatus container, Instant now) {
        if (container.running()) {
            return "Up " + age(container.created(), now);
        }
        Optional<RunResult> result = container.result();
        if (result.isEmpty()) {
            return "Killed with its engine";
        }
        Verdict verdict = result.get().verdict();
        return "Exited (" + result.get().exitStatus() + ") "
                + age(container.ended().orElse(now), now) + " ago"
                + (verdict == Verdict.OK || verdict == Verdict.EXIT ? "" : ", " + verdict);
    }

    /// Returns an age in Docker's words, without its "about".
    static String age(Instant time, Instant now) {
        Duration age = Duration.between(time, now);
        if (age.toDays() >= 2) {
            return age.toDays() + " days";
        }
        if (age.toHours() >= 2) {
            return age.toHours() + " hours";
        }
        return age.toMinutes() >= 2 ? age.toMinutes() + " minutes" : Math.max(0, age.toSeconds()) + " seconds";
    }

    private static String json(ContainerStatus container) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("id", container.id().value());
        fields.put("name", container.name().orElse(""));
        fields.put("image", container.image());
        fields.put("command", container.command());
        fields.put("created", container.created().toString());
        fields.put("labels", container.labels());
        fields.put("state", state(container));
        fields.put("running", container.running());
        fields.put("kept", container.kept());
        container.ended().ifPresent(time -> fields.put("ended", time.toString()));
        container.result().ifPresent(result -> {
            fields.put("verdict", result.verdict().name());
            fields.put("exitStatus", result.exitStatus());
        });
        return JsonText.of(fields);
    }
}
