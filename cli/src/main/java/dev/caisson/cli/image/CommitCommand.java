package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.CommitOptions;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson commit`: makes an image of a container.
@Command(
        name = "commit",
        sortOptions = false,
        description = "Make an image of a container: its image's layers, and its changes as one more.",
        footer = {
            "%nThe container was created, or runs with -d, from an image of 'caisson images'. The image's configuration",
            "stays but for -c: variables, command and user that the container was given are not taken. What is on",
            "volumes is left out.",
            "%n  caisson commit -m 'with curl' -c 'CMD [\"curl\"]' box tools:1"
        })
public final class CommitCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--author"},
            paramLabel = "NAME",
            description = "Who made it.")
    private @Nullable String author;

    @Option(
            names = {"-m", "--message"},
            paramLabel = "TEXT",
            description = "Comment in the image's history.")
    private @Nullable String message;

    @Option(
            names = {"-c", "--change"},
            paramLabel = "INSTRUCTION",
            description =
                    "Instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or"
                            + " WORKDIR. Repeatable.")
    private List<String> changes = List.of();

    @Option(
            names = {"-p", "--pause"},
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "true",
            description = "Pause it meanwhile (default: ${DEFAULT-VALUE}).")
    private boolean pause = true;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its name, or the beginning of its id.")
    private String container = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "NAME", description = "Name of the image: REPOSITORY[:TAG].")
    private @Nullable String name;

    @Override
    public Integer call() throws InterruptedException {
        Optional<ImageReference> wanted = Optional.ofNullable(name).map(ImageReference::parse);
        var how = new CommitOptions(Optional.ofNullable(author), Optional.ofNullable(message), changes, pause);
        try (Images images = Images.open(Caller.current().directories())) {
            StoredImage made =
                    wanted.isPresent() ? images.commit(container, wanted.get(), how) : images.commit(container, how);
            spec.commandLine().getOut().println(images.describe(made).id());
        }
        return 0;
    }
}
