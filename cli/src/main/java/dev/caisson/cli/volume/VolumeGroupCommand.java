package dev.caisson.cli.volume;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// `caisson volume`: the group of the commands for volumes.
@Command(
        name = "volume",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for volumes: bounded directories that keep what containers write.",
        footer = {
            "%n  caisson volume create --opt size=2g data",
            "  caisson run -d --name db -v data:/var/lib/db IMAGE",
            "  caisson volume inspect data"
        })
public final class VolumeGroupCommand implements Runnable {
    private VolumeGroupCommand() {}

    /// The group and its commands.
    public static CommandLine line() {
        return new CommandLine(new VolumeGroupCommand())
                .addSubcommand("create", new VolumeCreateCommand())
                .addSubcommand("ls", new VolumeListCommand())
                .addSubcommand("inspect", new VolumeInspectCommand())
                .addSubcommand("rm", new VolumeRemoveCommand())
                .addSubcommand("prune", new VolumePruneCommand());
    }

    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson volume --help'");
    }
}
