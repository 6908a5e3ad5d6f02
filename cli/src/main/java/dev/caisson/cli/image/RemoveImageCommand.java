package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.EachName;
import dev.caisson.engine.Images;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson rmi`: removes names of images, and with the last name the image.
@Command(
        name = "rmi",
        sortOptions = false,
        description = "Remove names of images, and with the last name of each its blobs.",
        footer = {
            "%nThe last name of an image stays while a container has the image. With -f it goes, and the image stays",
            "without a name until no container has it and 'caisson image prune' removes it. An id stands for all names",
            "of its image; if they are several, -f is needed.",
            "%n  caisson rmi debian:13"
        })
public final class RemoveImageCommand implements Callable<Integer> {
    private static final String UNKNOWN = "IMAGE_UNKNOWN";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description =
                    "All names of an id, and the last name of an image that a container has; unknown images are no failure.")
    private boolean force;

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "Name, or the beginning of an id.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (Images images = Images.open(Caller.current().directories())) {
            return EachName.weighed(
                    names, spec.commandLine().getErr(), this::weight, name -> remove(images, name, out));
        }
    }

    /// By force an image that is not there is no failure, as with Docker.
    private EachName.Weight weight(CaissonException problem) {
        return force && problem.code().equals(UNKNOWN) ? EachName.Weight.REMARK : EachName.Weight.FAILURE;
    }

    private void remove(Images images, String name, PrintWriter out) {
        StoredImage image = images.find(name);
        List<StoredImage> wanted = images.isCalled(image, name) ? List.of(image) : namesOf(images, image);
        if (wanted.size() > 1 && !force) {
            throw new CommandException(
                    "IMAGE_HAS_NAMES",
                    1,
                    "image " + name + " is called "
                            + wanted.stream().map(StoredImage::name).collect(Collectors.joining(", "))
                            + ": remove names by themselves, or all of them with -f");
        }
        for (StoredImage one : wanted) {
            boolean isGone = images.remove(one, force);
            out.println("Untagged: " + one.name());
            if (isGone) {
                out.println("Deleted: " + one.manifest());
            }
        }
    }

    private static List<StoredImage> namesOf(Images images, StoredImage image) {
        Digest id = images.describe(image).id();
        return images.list().stream()
                .filter(other -> images.describe(other).id().equals(id))
                .toList();
    }
}
