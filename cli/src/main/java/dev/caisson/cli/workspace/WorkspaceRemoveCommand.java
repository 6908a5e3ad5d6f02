package dev.caisson.cli.workspace;

import dev.caisson.engine.Workspaces;
import dev.caisson.error.CaissonException;
import dev.caisson.spec.WorkspaceName;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson workspace rm`: removes workspaces with their files.
@Command(
        name = "rm",
        sortOptions = false,
        description = "Remove workspaces with all their files; one that a container has is refused.",
        footer = "%n  caisson workspace rm job")
public final class WorkspaceRemoveCommand extends WorkspaceCommand {
    @Option(
            names = {"-f", "--force"},
            description = "Say nothing of one that is not there.")
    private boolean force;

    @Override
    void act(String name, Workspaces all, PrintWriter out) {
        all.remove(new WorkspaceName(name));
        out.println(name);
    }

    @Override
    boolean isNoFailure(CaissonException problem) {
        return force && problem.code().equals("WORKSPACE_UNKNOWN");
    }
}
