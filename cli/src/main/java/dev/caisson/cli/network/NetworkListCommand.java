package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.template.Template;
import dev.caisson.engine.HostNetworks;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson network ls`: the networks.
@Command(
        name = "ls",
        sortOptions = false,
        description = "List networks. The one that containers are on by default is made at its first use.",
        footer = {"%n  caisson network ls --filter label=team=core", "  caisson network ls --format '{{.ID}} {{.Name}}'"
        })
final class NetworkListCommand implements Callable<Integer> {
    private static final String COLUMNS = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}";
    private static final Map<String, String> HEADERS = Map.of(
            "ID",
            "NETWORK ID",
            "Name",
            "NAME",
            "Driver",
            "DRIVER",
            "Scope",
            "SCOPE",
            "IPv4",
            "IPV4",
            "IPv6",
            "IPV6",
            "Internal",
            "INTERNAL",
            "Labels",
            "LABELS",
            "CreatedAt",
            "CREATED AT");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            description = "Ids alone.")
    private boolean quiet;

    @Option(names = "--no-trunc", description = "Whole ids.")
    private boolean whole;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "table",
            description =
                    "table, json, an object a line, or a template: 'table {{.ID}}\\t{{.Name}}' (default: ${DEFAULT-VALUE}).")
    private String format = "table";

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "KEY=VALUE",
            description =
                    "Only those with label=KEY[=VALUE], name=PATTERN, id=PATTERN, driver=bridge, scope=local, type=builtin|custom or dangling=true|false.")
    private List<String> filters = List.of();

    @Override
    public Integer call() {
        filter(_ -> false); // a mistake in it is told if there is no network, too
        List<NetworkInfo> found = HostNetworks.read(Caller.current().directories(), List.of(), this::accepted);
        PrintWriter out = spec.commandLine().getOut();
        if (quiet) {
            found.forEach(network -> out.println(id(network)));
            return 0;
        }
        Table.of(format.isEmpty() ? "table" : format, COLUMNS, HEADERS)
                .lines(found.stream().map(this::row).toList())
                .forEach(line -> out.println(line.stripTrailing()));
        return 0;
    }

    private List<NetworkInfo> accepted(Networks networks) {
        NetworkFilter filter =
                filter(network -> !networks.attachedTo(network.id()).isEmpty());
        return networks.list().stream().filter(filter::accepts).toList();
    }

    private NetworkFilter filter(Predicate<NetworkInfo> used) {
        return NetworkFilter.parse(filters, NetworkFilter.OF_LIST, used);
    }

    private String id(NetworkInfo network) {
        return whole ? network.id() : network.shortId();
    }

    private Map<String, Object> row(NetworkInfo network) {
        var row = new LinkedHashMap<String, Object>();
        row.put("CreatedAt", network.created().toString());
        row.put("Driver", "bridge");
        row.put("ID", id(network));
        row.put("IPv4", "true");
        row.put("IPv6", String.valueOf(network.ipv6()));
        row.put("Internal", String.valueOf(network.internal()));
        row.put(
                "Labels",
                network.labels().entrySet().stream()
                        .map(label -> OneLine.of(label.getKey() + "=" + label.getValue()))
                        .collect(Collectors.joining(",")));
        row.put(
                "Label",
                new Template.Unlisted(
                        new Template.Lookup(key -> OneLine.row(network.labels().getOrDefault(key, "")))));
        row.put("Name", network.name());
        row.put("Scope", "local");
        return row;
    }
}
