package dev.caisson.cli.snapshot;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.text.AgeText;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.Snapshots;
import dev.caisson.image.Snapshot;
import dev.caisson.image.SnapshotName;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson snapshot ls`: the snapshots.
@Command(
        name = "ls",
        sortOptions = false,
        description = "List snapshots.",
        footer = "%n  caisson snapshot ls --format '{{.Name}} of {{.Image}}: {{.Size}}'")
final class SnapshotListCommand implements Callable<Integer> {
    private static final String COLUMNS = "{{.Name}}\t{{.Container}}\t{{.Image}}\t{{.CreatedSince}}\t{{.Size}}";
    private static final Map<String, String> HEADERS = Map.of(
            "Name", "SNAPSHOT NAME",
            "ID", "SNAPSHOT ID",
            "Container", "OF CONTAINER",
            "Image", "IMAGE",
            "Parent", "PARENT",
            "CreatedAt", "CREATED AT",
            "CreatedSince", "CREATED",
            "Size", "SIZE");
    private static final int DIGITS = 4;
    private static final int SHORT = 12;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            description = "Names alone.")
    private boolean quiet;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "table",
            description =
                    "json for programs, an object a line, or a template: 'table {{.Name}}\\t{{.Parent}}' (default: ${DEFAULT-VALUE}).")
    private String format = "table";

    @Override
    public Integer call() {
        Table table = Table.of(format.isEmpty() ? "table" : format, COLUMNS, HEADERS);
        PrintWriter out = spec.commandLine().getOut();
        var rows = new ArrayList<Map<String, Object>>();
        for (Snapshot snapshot : Snapshots.of(Caller.current().directories()).list()) {
            if (quiet) {
                out.println(snapshot.name());
            } else {
                rows.add(row(snapshot));
            }
        }
        if (!quiet) {
            table.lines(rows).forEach(line -> out.println(line.stripTrailing()));
        }
        return 0;
    }

    private static Map<String, Object> row(Snapshot snapshot) {
        var row = new LinkedHashMap<String, Object>();
        row.put("Container", OneLine.of(snapshot.container()));
        row.put("CreatedAt", snapshot.created().toString());
        row.put("CreatedSince", AgeText.of(snapshot.created(), Instant.now()) + " ago");
        row.put("ID", snapshot.id().hex().substring(0, SHORT));
        row.put("Image", OneLine.of(snapshot.image()));
        row.put("Name", snapshot.name().value());
        row.put("Parent", snapshot.parent().map(SnapshotName::value).orElse(""));
        row.put("Size", SizeText.of(snapshot.bytes(), DIGITS));
        return row;
    }
}
