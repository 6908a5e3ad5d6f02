package dev.caisson.cli.image;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine.Command;

/// `caisson image`: Docker's group of the commands for images.
@Command(
        name = "image",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for images, by Docker's longer names.")
public final class ImageGroupCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson image --help'");
    }
}
