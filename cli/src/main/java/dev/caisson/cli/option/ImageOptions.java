package dev.caisson.cli.option;

import dev.caisson.cli.image.Platforms;
import dev.caisson.cli.image.Pulls;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.Platform;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Optional;
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
                        "Platform of the image (default: that of the image in the store, else this machine's).",
                        value -> platform = value);
    }

    /// Fetches the image of a container, and those that it has mounted, if they are of a registry and the options say
    /// so.
    /// @return what was wanted, with the names of images that were given by their ids
    public ContainerSpec fetch(ContainerSpec wanted, PrintWriter err) {
        Optional<Platform> chosen = Optional.ofNullable(platform).map(Platforms::wanted);
        ContainerSpec named = wanted.image(Pulls.forRun(wanted.image(), chosen, Pulls.policy(pull), err));
        var mounts = new ArrayList<Mount>();
        for (Mount mount : wanted.mounts()) {
            mounts.add(
                    mount instanceof Mount.ImageFiles files
                            ? new Mount.ImageFiles(fetched(files.image(), err), files.target(), files.subpath())
                            : mount);
        }
        return named.mounts(mounts);
    }

    private ImageReference fetched(ImageReference image, PrintWriter err) {
        return Pulls.forRun(new Image.Named(image), Optional.empty(), Pulls.policy(pull), err)
                        instanceof Image.Named(ImageReference found)
                ? found
                : image;
    }
}
