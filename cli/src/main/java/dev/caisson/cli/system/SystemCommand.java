package dev.caisson.cli.system;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine.Command;

/// `caisson system`: Docker's group of the commands for all of it.
@Command(
        name = "system",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for the disk and what happens, by Docker's longer names.")
public final class SystemCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson system --help'");
    }
}
