package dev.caisson.cli.workspace;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.engine.Workspace;
import dev.caisson.engine.Workspaces;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson workspace prune`: removes all workspaces that nothing uses.
@Command(
        name = "prune",
        sortOptions = false,
        description = "Remove all workspaces that no container has, with their files.",
        footer = "%n  caisson workspace prune -f")
public final class WorkspacePruneCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description = "Do not ask.")
    private boolean force;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Workspaces all = Workspaces.of(Caller.current().directories());
        if (!force && !Confirmation.isGiven(out, "all workspaces that no container has, with their files")) {
            return 0;
        }
        List<Workspace> removed = all.prune();
        if (!removed.isEmpty()) {
            out.println("Deleted Workspaces:");
            removed.forEach(workspace -> out.println(workspace.name()));
            out.println();
        }
        return 0;
    }
}
