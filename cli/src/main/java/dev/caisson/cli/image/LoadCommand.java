package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.InputFile;
import dev.caisson.engine.Images;
import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson load`: reads the images of an archive into the store.
@Command(
        name = "load",
        sortOptions = false,
        description = "Read the images of an archive of docker save, podman save, skopeo or 'caisson save'.",
        footer = {
            "%nArchives of Docker's form and packed OCI layouts are read, also compressed (gzip, zstd, xz, bzip2). All images",
            "of an archive are taken, or none. A name that another image has moves; that one stays without it.",
            "%n  caisson load -i debian.tar",
            "  docker save debian:13 | caisson load"
        })
public final class LoadCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-i", "--input"},
            paramLabel = "FILE",
            defaultValue = "-",
            description = "File to read (default: standard input).")
    private String input = "-";

    @Option(
            names = {"-q", "--quiet"},
            description = "Changes nothing: no progress is shown of an image that is at hand.")
    @SuppressWarnings("unused") // taken as Docker takes it
    private boolean quiet;

    @Option(
            names = "--platform",
            paramLabel = "OS/ARCHITECTURE",
            description = "Platform to take of an image for several (default: this machine's).")
    private @Nullable String platform;

    @Override
    public Integer call() {
        Platform wanted = Platforms.wanted(platform);
        PrintWriter out = spec.commandLine().getOut();
        try (Images images = Images.open(Caller.current().directories());
                InputStream in = InputFile.open(input, "-i FILE")) {
            for (StoredImage image : images.load(in, InputFile.shown(input), wanted)) {
                out.println(
                        image.tag().isPresent()
                                ? "Loaded image: " + image.name()
                                : "Loaded image ID: " + images.describe(image).id());
            }
        } catch (IOException e) {
            throw new CommandException("FILE_NOT_READ", 1, input + " cannot be closed: " + e.getMessage(), e);
        }
        return 0;
    }
}
