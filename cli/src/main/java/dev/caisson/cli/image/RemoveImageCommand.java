package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.Images;
import dev.caisson.error.CaissonException;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson rmi`: removes names of images, and with the last name the image.
@Command(
        name = "rmi",
        sortOptions = false,
        description = "Remove names of images, and with the last name of each its blobs.",
        footer = {"%nThe last name of an image stays while a container has the image.", "%n  caisson rmi debian:13"})
public final class RemoveImageCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "Name, or the beginning of an id.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        int status = 0;
        try (Images images = Images.open(Caller.current().directories())) {
            for (String name : names) {
                try {
                    StoredImage image = images.find(name);
                    images.remove(image);
                    out.println("Untagged: " + image.name());
                    if (images.list().stream()
                            .noneMatch(other -> other.manifest().equals(image.manifest()))) {
                        out.println("Deleted: " + image.manifest());
                    }
                } catch (CaissonException e) {
                    status = Pulls.tell(spec.commandLine().getErr(), e);
                }
            }
        }
        return status;
    }
}
