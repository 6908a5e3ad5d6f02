package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.text.Pruned;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.error.CaissonException;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson image prune`: removes images without a name.
@Command(
        name = "prune",
        sortOptions = false,
        description = "Remove images that have no name any more.",
        footer = {
            "%n  caisson image prune -a -f",
            "  caisson image prune -a -f --filter until=240h --filter label!=keep"
        })
public final class PruneImagesCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--all"},
            description = "All that no container has.")
    private boolean all;

    @Option(
            names = {"-f", "--force"},
            description = "Do not ask.")
    private boolean force;

    @Option(
            names = "--filter",
            paramLabel = "KEY=VALUE",
            description = "Only those with until=TIME (made before), label=KEY[=VALUE], or without label!=KEY[=VALUE].")
    private List<String> filters = List.of();

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        Pruned.Removal removal = removal(all, filters, spec.commandLine().getErr());
        if (!force
                && !Confirmation.isGiven(out, all ? "all images that no container has" : "all images without a name")) {
            return 0;
        }
        return removal.run().print(out);
    }

    /// Reads the filters; nothing is removed yet.
    /// @param all whether those with a name go, too
    /// @param filters as `--filter` takes them
    /// @param err where damaged images are told
    public static Pruned.Removal removal(boolean all, List<String> filters, PrintWriter err) {
        ImagePruneFilter filter = ImagePruneFilter.parse(filters, Instant.now());
        EngineOptions options = Caller.current().directories();
        return () -> {
            try (Images images = Images.open(options)) {
                long before = images.onDisk().count();
                List<StoredImage> removed = images.prune(all, image -> filter.accepts(images.describe(image)));
                long freed = Math.max(0, before - images.onDisk().count()); // another process may pull meanwhile
                return new Pruned(
                        "Deleted Images",
                        removed.stream().map(StoredImage::name).toList(),
                        freed,
                        reportDamaged(images, err));
            }
        };
    }

    /// Reports damaged images: while one is there, no blob is removed.
    /// @return true if there are any
    private static boolean reportDamaged(Images images, PrintWriter err) {
        boolean found = false;
        for (StoredImage image : images.list()) {
            try {
                images.describe(image);
            } catch (CaissonException e) {
                found = true;
                err.println("caisson: " + e.code() + ": " + image.name() + ": " + e.sentence()
                        + "; unused blobs stay until it is pulled again or removed");
            }
        }
        return found;
    }
}
