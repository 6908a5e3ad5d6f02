package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.Images;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.Platform;
import dev.caisson.image.PullListener;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson pull`: copies an image from its registry into the store.
@Command(
        name = "pull",
        sortOptions = false,
        description = "Fetch an image from its registry.",
        footer = {
            "%nEach part is compared with its digest, and the layers are unpacked. Logins are those of Docker's config.json ('caisson login',",
            "'docker login'). https is used, and plain http only with this machine itself.",
            "%n  caisson pull debian:13",
            "  caisson pull 127.0.0.1:5000/app@sha256:…"
        })
public final class PullCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print the image's name alone.")
    private boolean quiet;

    @Option(
            names = "--progress",
            paramLabel = "auto|plain|json",
            description = "How progress is shown (default: auto, which is bars on a terminal).")
    private String progress = "auto";

    @Option(
            names = "--platform",
            paramLabel = "OS/ARCHITECTURE",
            description =
                    "Platform of the image (default: this machine's; another one needs an interpreter of binfmt_misc).")
    private @Nullable String platform;

    @Parameters(paramLabel = "IMAGE", description = "[REGISTRY/]REPOSITORY[:TAG][@DIGEST].")
    private String image = "";

    @Override
    public Integer call() {
        Platform wanted = Platforms.wanted(platform);
        ImageReference reference = ImageReference.parse(image);
        PrintWriter out = spec.commandLine().getOut();
        PullListener shown = PullProgress.of(progress, spec.commandLine().getErr(), PullProgress.Words.OF_A_PULL);
        try (Images images = Images.open(Caller.current().directories())) {
            Optional<Digest> before =
                    images.has(reference) ? Optional.of(images.find(image).manifest()) : Optional.empty();
            StoredImage pulled = Pulls.pull(images, reference, wanted, quiet ? PullListener.none() : shown);
            images.tree(new Image.Named(reference)).close(); // so that its first container does not wait for it
            if (!quiet) {
                out.println("Digest: " + pulled.pulled());
                boolean isSame = before.filter(pulled.manifest()::equals).isPresent();
                out.println(
                        "Status: " + (isSame ? "Image is up to date for " : "Downloaded newer image for ") + reference);
            }
            String digest =
                    reference.digest().isPresent() ? "" : ":" + pulled.tag().orElse("");
            out.println(pulled.repository() + (digest.isEmpty() ? "@" + pulled.pulled() : digest));
        }
        return 0;
    }
}
