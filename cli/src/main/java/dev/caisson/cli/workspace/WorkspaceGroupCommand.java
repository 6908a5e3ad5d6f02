package dev.caisson.cli.workspace;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine.Command;

/// `caisson workspace`: the group of the commands for workspaces.
@Command(
        name = "workspace",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for workspaces: bounded directories that containers share and the host reads safely.",
        footer = {
            "%n  caisson workspace create --size 256m job",
            "  caisson run --rm --workspace job:/work host sh -c 'echo 42 >/work/out'",
            "  caisson workspace cp job:/out ."
        })
public final class WorkspaceGroupCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson workspace --help'");
    }
}
