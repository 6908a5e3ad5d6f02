package dev.caisson.cli.workspace;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.Workspace;
import dev.caisson.engine.Workspaces;
import dev.caisson.spec.WorkspaceSpec;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson workspace create`: makes an empty workspace.
@Command(
        name = "create",
        sortOptions = false,
        description = "Make a workspace: a directory with a bound, which is there until it is removed.",
        footer = {
            "%nIt takes disk only for what is written into it, and stays when containers and the host end.",
            "Several may together promise more than the disk has.",
            "%n  caisson workspace create --size 256m --inodes 10000 job"
        })
public final class WorkspaceCreateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(names = "--size", paramLabel = "SIZE", description = "Most bytes that it holds, from 16m on (default: 1g).")
    private @Nullable String size;

    @Option(
            names = "--inodes",
            paramLabel = "NUMBER",
            description = "Most files, directories and links (default: one for each 16 KiB).")
    private @Nullable Long inodes;

    @Parameters(paramLabel = "NAME", description = "Letters, digits, '_', '.' and '-', at most 64.")
    private String name = "";

    @Override
    public Integer call() {
        WorkspaceSpec wanted = WorkspaceSpec.named(name);
        if (size != null) {
            wanted = wanted.size(size);
        }
        if (inodes != null) {
            wanted = wanted.inodes(inodes);
        }
        Workspace made = Workspaces.of(Caller.current().directories()).create(wanted);
        spec.commandLine().getOut().println(made.name());
        return 0;
    }
}
