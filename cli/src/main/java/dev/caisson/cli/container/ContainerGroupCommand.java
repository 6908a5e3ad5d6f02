package dev.caisson.cli.container;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine.Command;

/// `caisson container`: Docker's group of the commands for containers.
@Command(
        name = "container",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for containers, by Docker's longer names.")
public final class ContainerGroupCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson container --help'");
    }
}
