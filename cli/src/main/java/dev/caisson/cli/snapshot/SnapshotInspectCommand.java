package dev.caisson.cli.snapshot;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.view.IndentedJson;
import dev.caisson.engine.Snapshots;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Snapshot;
import dev.caisson.image.SnapshotName;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson snapshot inspect`: all that is known of snapshots.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of snapshots, with the containers that were made of them.",
        footer = "%n  caisson snapshot inspect -f '{{.Image}} {{.Size}}' prepared")
final class SnapshotInspectCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.Name}}, {{json .Containers}}, {{range}}, {{if}}.")
    private @Nullable String format;

    @Parameters(arity = "1..*", paramLabel = "SNAPSHOT", description = "Names.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        boolean json = format == null || format.equals("json") || format.isEmpty();
        Template template = json ? Template.parse("{{json .}}") : Template.parse(String.valueOf(format));
        Snapshots all = Snapshots.of(Caller.current().directories());
        var found = new ArrayList<Map<String, Object>>();
        int status = 0;
        for (String one : wanted) {
            try {
                Snapshot snapshot = all.get(one);
                found.add(object(snapshot, all.users(snapshot.name())));
            } catch (CaissonException e) {
                spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                status = SOME_FAILED;
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(format == null ? IndentedJson.of(found) : template.render(found));
        } else {
            found.forEach(one -> out.println(template.render(one)));
        }
        return status;
    }

    private static Map<String, Object> object(Snapshot snapshot, List<String> users) {
        var object = new LinkedHashMap<String, Object>();
        object.put("Name", snapshot.name().value());
        object.put("ID", snapshot.id().toString());
        object.put("CreatedAt", snapshot.created().toString());
        object.put("Container", snapshot.container());
        object.put("Image", snapshot.image());
        object.put("Parent", snapshot.parent().map(SnapshotName::value).orElse(""));
        object.put("Size", snapshot.bytes());
        object.put("Containers", users);
        return object;
    }
}
