package dev.caisson.cli.workspace;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.text.JsonText;
import dev.caisson.engine.Workspace;
import dev.caisson.engine.WorkspaceUse;
import dev.caisson.engine.Workspaces;
import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson workspace ls`: the workspaces, with their bounds and what is used of them.
@Command(
        name = "ls",
        sortOptions = false,
        description = "List workspaces, with their bounds and what is used of them.",
        footer = {"%n  caisson workspace ls", "  caisson workspace ls --format '{{.Name}} {{.Used}}'"})
public final class WorkspaceListCommand implements Callable<Integer> {
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
                    "json for programs, an object a line, or a template: 'table {{.Name}}\\t{{.Used}}' (default: ${DEFAULT-VALUE}).")
    private String format = "table";

    @Override
    public Integer call() {
        Table table = Table.of(format.isEmpty() ? "table" : format, WorkspaceRow.TABLE, WorkspaceRow.HEADERS);
        PrintWriter out = spec.commandLine().getOut();
        Workspaces all = Workspaces.of(Caller.current().directories());
        if (quiet) {
            all.list().forEach(workspace -> out.println(workspace.name()));
            return 0;
        }
        var rows = new ArrayList<Map<String, Object>>();
        for (Workspace workspace : all.list()) {
            try {
                WorkspaceUse use = all.use(workspace.name());
                if (format.equals("json")) {
                    out.println(JsonText.of(WorkspaceRow.fields(workspace, use)));
                } else {
                    rows.add(WorkspaceRow.texts(workspace, use));
                }
            } catch (CaissonException e) {
                if (!e.code().equals("WORKSPACE_UNKNOWN")) { // removed meanwhile
                    throw e;
                }
            }
        }
        if (!format.equals("json")) {
            List<String> lines = table.lines(rows);
            lines.forEach(line -> out.println(line.stripTrailing()));
        }
        return 0;
    }
}
