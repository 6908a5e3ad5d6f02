package dev.caisson.cli.network;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// `caisson network`: the group of the commands for networks.
@Command(
        name = "network",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Make, list, join and remove networks of containers.")
public final class NetworkCommand implements Runnable {
    /// Returns it with its commands.
    public static CommandLine line() {
        return new CommandLine(new NetworkCommand())
                .addSubcommand("create", new NetworkCreateCommand())
                .addSubcommand("ls", new NetworkListCommand())
                .addSubcommand("inspect", new NetworkInspectCommand())
                .addSubcommand("connect", new NetworkConnectCommand())
                .addSubcommand("disconnect", new NetworkDisconnectCommand())
                .addSubcommand("rm", new NetworkRemoveCommand())
                .addSubcommand("prune", new NetworkPruneCommand());
    }

    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson network --help'");
    }
}
