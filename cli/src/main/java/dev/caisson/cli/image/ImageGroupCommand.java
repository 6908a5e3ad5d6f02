package dev.caisson.cli.image;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.view.ImageHistoryCommand;
import dev.caisson.cli.view.ImageInspectCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// `caisson image`: Docker's group of the commands for images.
@Command(
        name = "image",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Commands for images, by Docker's longer names.")
public final class ImageGroupCommand implements Runnable {
    /// Returns it with its subcommands.
    public static CommandLine line() {
        return new CommandLine(new ImageGroupCommand())
                .addSubcommand("pull", new PullCommand())
                .addSubcommand("push", new PushCommand())
                .addSubcommand("ls", new ImagesCommand())
                .addSubcommand("inspect", new ImageInspectCommand())
                .addSubcommand("history", new ImageHistoryCommand())
                .addSubcommand("verify", new VerifyImageCommand())
                .addSubcommand("save", new SaveCommand())
                .addSubcommand("load", new LoadCommand())
                .addSubcommand("import", new ImportCommand())
                .addSubcommand("tag", new TagCommand())
                .addSubcommand("rm", new RemoveImageCommand())
                .addSubcommand("prune", new PruneImagesCommand());
    }

    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson image --help'");
    }
}
