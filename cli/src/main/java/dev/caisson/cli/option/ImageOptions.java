package dev.caisson.cli.option;

import dev.caisson.cli.image.Platforms;
import dev.caisson.cli.image.Pulls;
import dev.caisson.image.Image;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// Options that say where the image of a new container comes from.
public final class ImageOptions {
    private String pull = "missing";
    private @Nullable String platform;

    public ImageOptions(CommandSpec command) {
        new OptionList(command)
                .text(
                        "--pull",
                        "WHEN",
                        "Fetch an image of a registry: missing (default), always, never.",
                        value -> pull = value)
                .text(
                        "--platform",
                        "OS/ARCHITECTURE",
                        "Refuse unless it is this machine's.",
                        value -> platform = value);
    }

    /// Fetches the image if it is one of a registry and the options say so.
    public void fetch(Image image, PrintWriter err) {
        Platforms.requireOwn(platform);
        Pulls.forRun(image, Pulls.policy(pull), err);
    }
}
