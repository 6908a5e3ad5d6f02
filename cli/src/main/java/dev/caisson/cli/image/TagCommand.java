package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageReference;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `caisson tag`: gives an image of the store another name too.
@Command(
        name = "tag",
        sortOptions = false,
        description = "Give an image another name too.",
        footer = "%n  caisson tag debian:13 base:1")
public final class TagCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "IMAGE", description = "Name, or the beginning of an id.")
    private String image = "";

    @Parameters(index = "1", paramLabel = "NAME", description = "The new name: REPOSITORY[:TAG].")
    private String name = "";

    @Override
    public Integer call() {
        ImageReference wanted = ImageReference.parse(name);
        try (Images images = Images.open(Caller.current().directories())) {
            images.tag(images.find(image), wanted);
        }
        return 0;
    }
}
