package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.text.JsonText;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DiskUse;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.spec.ContainerId;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson ps`: the containers that run, and with `-a` those that are kept after their end.
@Command(
        name = "ps",
        sortOptions = false,
        description = "List the containers that run, or with -a also those that were created or have ended.",
        footer = {
            "%n  caisson ps -a --filter status=exited",
            "  caisson ps --format 'table {{.Names}}\\t{{.Status}}'",
            "  caisson ps -q --no-trunc --filter label=group=batch"
        })
public final class ListCommand implements Callable<Integer> {
    private static final int SIZE_DIGITS = 3;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--all"},
            description = "Those too that were created or have ended.")
    private boolean all;

    @Option(
            names = {"-l", "--latest"},
            description = "The one that was created last, in whatever state.")
    private boolean latest;

    @Option(
            names = {"-n", "--last"},
            paramLabel = "NUMBER",
            description = "Those that were created last, in whatever state.")
    private @Nullable Integer last;

    @Option(
            names = {"-q", "--quiet"},
            description = "Ids alone.")
    private boolean quiet;

    @Option(
            names = {"-s", "--size"},
            description = "What each has written into its root, too.")
    private boolean size;

    @Option(names = "--no-trunc", description = "Whole ids and commands.")
    private boolean whole;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description =
                    "text for people, json for programs, an object a line, or a template: 'table {{.ID}}\\t{{.Names}}' (default: ${DEFAULT-VALUE}).")
    private String format = "text";

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "KEY=VALUE",
            description =
                    "Only those with label=KEY[=VALUE], name=PART, id=BEGINNING, ancestor=IMAGE, network=NETWORK, publish=PORT, expose=PORT, exited=STATUS, before=CONTAINER, since=CONTAINER or status=created|running|paused|restarting|exited|dead.")
    private List<String> filters = List.of();

    @Override
    public Integer call() {
        ContainerFilter filter = ContainerFilter.parse(filters);
        Table table =
                Table.of(isText() ? "table" : format, size ? ListRow.SIZED_TABLE : ListRow.TABLE, ListRow.HEADERS);
        EngineOptions options = Caller.current().directories();
        PrintWriter out = spec.commandLine().getOut();
        List<ContainerStatus> containers = chosen(filter, ContainerStatus.allButLeftovers(options));
        List<String> lines = quiet
                ? containers.stream()
                        .map(container ->
                                whole ? container.id().value() : container.id().shortForm())
                        .toList()
                : lines(table, containers, options);
        lines.forEach(line -> out.append(line).append('\n'));
        out.flush(); // once: a write for each line would take longer than the look
        return 0;
    }

    private List<String> lines(Table table, List<ContainerStatus> containers, EngineOptions options) {
        Instant now = Instant.now();
        Map<ContainerId, NetworkPlaces> networks =
                NetworkPlaces.of(containers.stream().map(ContainerStatus::id).toList(), options);
        if (format.equals("json")) {
            return containers.stream()
                    .map(container ->
                            JsonText.of(sized(ListRow.json(container, places(networks, container), now), container)))
                    .toList();
        }
        boolean text = isText();
        return table
                .lines(containers.stream()
                        .map(container ->
                                sized(ListRow.row(container, places(networks, container), now, whole), container))
                        .toList())
                .stream()
                .map(line -> text ? line.stripTrailing() : line)
                .toList();
    }

    private boolean isText() {
        return format.equals("text") || format.isEmpty();
    }

    private static NetworkPlaces places(Map<ContainerId, NetworkPlaces> networks, ContainerStatus container) {
        return networks.getOrDefault(container.id(), NetworkPlaces.NONE);
    }

    /// Asks the kernel for it only if it is shown.
    private Map<String, Object> sized(Map<String, Object> fields, ContainerStatus container) {
        if (size || format.contains(".Size")) {
            long bytes =
                    DiskUse.written(container, Caller.current().directories()).count();
            fields.put("Size", SizeText.of(bytes, SIZE_DIGITS));
        }
        return fields;
    }

    private List<ContainerStatus> chosen(ContainerFilter filter, List<ContainerStatus> containers) {
        int most = latest ? 1 : last == null || last < 0 ? Integer.MAX_VALUE : last;
        boolean every = all || latest || (last != null && last >= 0) || filter.mentionsStatus();
        ContainerFilter among = filter.among(containers);
        return containers.stream()
                .filter(container -> every || container.running())
                .filter(among::accepts)
                .limit(most)
                .toList();
    }
}
