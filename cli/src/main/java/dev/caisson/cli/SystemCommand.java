package dev.caisson.cli;

import picocli.CommandLine.Command;

/// `caisson system`: Docker's group of the commands for all of it.
@Command(
        name = "system",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for the disk and what happens, by Docker's longer names.")
final class SystemCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson system --help'");
    }
}
