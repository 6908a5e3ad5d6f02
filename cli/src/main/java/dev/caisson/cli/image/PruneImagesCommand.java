package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.text.SizeText;
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
    private static final int DIGITS = 4;
    private static final int FAILED = 1;

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

    /// Reports damaged images: while one is there, no blob is removed.
    /// @return true if there are any
    private boolean reportDamaged(Images images) {
        boolean found = false;
        for (StoredImage image : images.list()) {
            try {
                images.describe(image);
            } catch (CaissonException e) {
                found = true;
                spec.commandLine()
                        .getErr()
                        .println("caisson: " + e.code() + ": " + image.name() + ": " + e.sentence()
                                + "; unused blobs stay until it is pulled again or removed");
            }
        }
        return found;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        ImagePruneFilter filter = ImagePruneFilter.parse(filters, Instant.now());
        if (!force
                && !Confirmation.isGiven(out, all ? "all images that no container has" : "all images without a name")) {
            return 0;
        }
        try (Images images = Images.open(Caller.current().directories())) {
            long before = images.onDisk().count();
            List<StoredImage> removed = images.prune(all, image -> filter.accepts(images.describe(image)));
            long freed = Math.max(0, before - images.onDisk().count()); // another process may pull meanwhile
            if (!removed.isEmpty()) {
                out.println("Deleted Images:");
                removed.forEach(image -> out.println(image.name()));
                out.println();
            }
            out.println("Total reclaimed space: " + SizeText.of(freed, DIGITS));
            return reportDamaged(images) ? FAILED : 0;
        }
    }
}
