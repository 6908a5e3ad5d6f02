package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.Volume;
import dev.caisson.engine.VolumeUse;
import dev.caisson.engine.Volumes;
import dev.caisson.error.CaissonException;
import dev.caisson.spec.VolumeName;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson volume ls`: the volumes.
@Command(
        name = "ls",
        sortOptions = false,
        description = "List volumes.",
        footer = {
            "%n  caisson volume ls --filter dangling=true",
            "  caisson volume ls --format '{{.Name}} {{.Used}} of {{.Size}}'"
        })
final class VolumeListCommand implements Callable<Integer> {
    private static final String COLUMNS = "{{.Driver}}\t{{.Name}}\t{{.Size}}\t{{.Links}}";
    private static final Map<String, String> HEADERS = Map.of(
            "Driver", "DRIVER",
            "Name", "VOLUME NAME",
            "Size", "LIMIT",
            "Used", "USED",
            "OnDisk", "ON DISK",
            "Links", "LINKS",
            "Scope", "SCOPE",
            "Labels", "LABELS",
            "Mountpoint", "MOUNTPOINT",
            "CreatedAt", "CREATED AT");
    private static final int DIGITS = 4;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            description = "Names alone.")
    private boolean quiet;

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "KEY=VALUE",
            description = "Only those with dangling=BOOLEAN, driver=NAME, label=KEY[=VALUE] or name=PATTERN.")
    private List<String> filters = List.of();

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "table",
            description =
                    "json for programs, an object a line, or a template: 'table {{.Name}}\\t{{.Used}}' (default: ${DEFAULT-VALUE}).")
    private String format = "table";

    @Override
    public Integer call() {
        Table table = Table.of(format.isEmpty() ? "table" : format, COLUMNS, HEADERS);
        Volumes all = Volumes.of(Caller.current().directories());
        VolumeFilter filter = VolumeFilter.parse(filters, VolumeFilter.OF_LIST, volume -> all.isInUse(volume.name()));
        Map<VolumeName, List<String>> users = quiet ? Map.of() : all.users();
        PrintWriter out = spec.commandLine().getOut();
        var rows = new ArrayList<Map<String, Object>>();
        for (Volume volume : all.list()) {
            try {
                if (filter.accepts(volume)) {
                    rows.add(quiet ? Map.of("Name", volume.name().value()) : row(volume, all, users));
                }
            } catch (CaissonException e) {
                if (!e.code().equals("VOLUME_UNKNOWN")) { // removed meanwhile
                    throw e;
                }
            }
        }
        if (quiet) {
            rows.forEach(row -> out.println(row.get("Name")));
        } else {
            table.lines(rows).forEach(line -> out.println(line.stripTrailing()));
        }
        return 0;
    }

    private Map<String, Object> row(Volume volume, Volumes all, Map<VolumeName, List<String>> users) {
        boolean isAsked = format.contains(".Used") || format.contains(".OnDisk") || format.contains("json");
        Optional<VolumeUse> use = isAsked ? Optional.of(all.use(volume.name())) : Optional.empty();
        var row = new LinkedHashMap<String, Object>();
        row.put("CreatedAt", volume.created().toString());
        row.put("Driver", "local");
        row.put(
                "Labels",
                volume.labels().entrySet().stream()
                        .map(label -> OneLine.of(label.getKey() + "=" + label.getValue()))
                        .sorted()
                        .collect(Collectors.joining(",")));
        row.put(
                "Label",
                new Template.Unlisted(
                        new Template.Lookup(key -> OneLine.row(volume.labels().getOrDefault(key, "")))));
        row.put(
                "Links",
                Integer.toString(users.getOrDefault(volume.name(), List.of()).size()));
        row.put("Mountpoint", "");
        row.put("Name", volume.name().value());
        row.put(
                "OnDisk",
                use.map(it -> SizeText.of(it.onDisk().count(), DIGITS)).orElse(""));
        row.put("Scope", "local");
        row.put("Size", SizeText.of(volume.size().count(), DIGITS));
        row.put("Used", use.map(it -> SizeText.of(it.used().count(), DIGITS)).orElse(""));
        return row;
    }
}
