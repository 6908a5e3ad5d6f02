package dev.caisson.cli.snapshot;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// `caisson snapshot`: the group of the commands for snapshots.
@Command(
        name = "snapshot",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for snapshots: files of a container at one moment, to start any number of others from.",
        footer = {
            "%n  caisson snapshot create box prepared",
            "  caisson run --rm --from-snapshot prepared -- cat /srv/result",
            "  caisson snapshot ls"
        })
public final class SnapshotGroupCommand implements Runnable {
    private SnapshotGroupCommand() {}

    /// The group and its commands.
    public static CommandLine line() {
        return new CommandLine(new SnapshotGroupCommand())
                .addSubcommand("create", new SnapshotCreateCommand())
                .addSubcommand("ls", new SnapshotListCommand())
                .addSubcommand("inspect", new SnapshotInspectCommand())
                .addSubcommand("rm", new SnapshotRemoveCommand())
                .addSubcommand("prune", new SnapshotPruneCommand());
    }

    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson snapshot --help'");
    }
}
