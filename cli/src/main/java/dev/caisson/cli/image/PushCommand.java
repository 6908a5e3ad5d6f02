package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson push`: copies an image of the store to its registry.
@Command(
        name = "push",
        sortOptions = false,
        description = "Copy an image to the registry of its name.",
        footer = {
            "%nLayers that the registry has are not sent; an upload that breaks goes on where it was. The login is that of",
            "'caisson login'. https is used, and plain http only with this machine itself.",
            "%n  caisson tag web:1 registry.example.org/team/web:1",
            "  caisson push registry.example.org/team/web:1"
        })
public final class PushCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--all-tags"},
            description = "All tags of the repository.")
    private boolean all;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print the image's name alone.")
    private boolean quiet;

    @Option(
            names = "--progress",
            paramLabel = "auto|plain|json",
            description = "How progress is shown (default: auto, which is bars on a terminal).")
    private String progress = "auto";

    @Parameters(paramLabel = "IMAGE", description = "[REGISTRY/]REPOSITORY[:TAG].")
    private String name = "";

    @Override
    public Integer call() {
        GivenName given = GivenName.parse(name);
        ImageReference reference = given.reference();
        if (reference.digest().isPresent() || (all && given.hasTag())) {
            throw CommandException.usage(
                    all
                            ? "--all-tags takes a repository without a tag: " + OneLine.of(name)
                            : "an image is pushed under" + " a tag: leave the digest of " + OneLine.of(name) + " out");
        }
        PrintWriter out = spec.commandLine().getOut();
        PullListener shown = PullProgress.of(progress, spec.commandLine().getErr(), PullProgress.Words.OF_A_PUSH);
        try (Images images = Images.open(Caller.current().directories())) {
            if (!quiet) {
                out.println("The push refers to repository [" + reference.fullRepository() + "]");
                out.flush();
            }
            for (StoredImage image : wanted(images, given)) {
                push(images, image, out, shown);
            }
        }
        return 0;
    }

    private List<StoredImage> wanted(Images images, GivenName given) {
        if (!all) {
            return List.of(images.get(given.reference()));
        }
        List<StoredImage> tagged = given.tagged(images);
        if (tagged.isEmpty()) {
            throw new CommandException(
                    "IMAGE_UNKNOWN",
                    1,
                    "no image of the store is called " + OneLine.of(name) + ": see 'caisson images'");
        }
        return tagged;
    }

    private void push(Images images, StoredImage image, PrintWriter out, PullListener shown) {
        images.push(image, Pulls.logins(), quiet ? PullListener.none() : shown);
        out.println(
                quiet
                        ? image.repository() + ":" + image.tag().orElse("")
                        : image.tag().orElse("") + ": digest: " + image.manifest() + " size: " + image.manifestSize());
        out.flush();
    }
}
