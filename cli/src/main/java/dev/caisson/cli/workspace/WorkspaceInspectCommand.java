package dev.caisson.cli.workspace;

import dev.caisson.cli.text.JsonText;
import dev.caisson.engine.Workspace;
import dev.caisson.engine.Workspaces;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/// `caisson workspace inspect`: all that is known of workspaces.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of workspaces, an object of JSON a line.",
        footer = "%n  caisson workspace inspect job")
public final class WorkspaceInspectCommand extends WorkspaceCommand {
    @Override
    void act(String name, Workspaces all, PrintWriter out) {
        Workspace found = all.get(name);
        out.println(JsonText.of(WorkspaceRow.fields(found, all.use(found.name()))));
    }
}
