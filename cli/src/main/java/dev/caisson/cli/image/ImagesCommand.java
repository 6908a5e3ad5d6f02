package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.text.AgeText;
import dev.caisson.cli.text.JsonText;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.Images;
import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageDescription;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson images`: the images of the store.
@Command(
        name = "images",
        sortOptions = false,
        description = "List the images that were fetched.",
        footer = {
            "%nSIZE is that of the compressed layers, as they lie in the store.",
            "%n  caisson images --digests",
            "  caisson images --format '{{.Repository}}:{{.Tag}} {{.ID}}' debian",
            "  caisson images --filter reference='team/*:1.*' --filter label=stable"
        })
public final class ImagesCommand implements Callable<Integer> {
    private static final String TABLE = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
    private static final String DIGESTS =
            "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
    private static final Map<String, String> HEADERS = Map.of(
            "Repository", "REPOSITORY",
            "Tag", "TAG",
            "Digest", "DIGEST",
            "ID", "IMAGE ID",
            "CreatedSince", "CREATED",
            "CreatedAt", "CREATED AT",
            "Size", "SIZE");
    private static final String OF_BUILDS = "caisson.local/";
    private static final int SHORT = 12;
    private static final int DIGITS = 3;
    private static final int FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            description = "Ids alone.")
    private boolean quiet;

    @Option(
            names = {"-a", "--all"},
            description = "Those that builds keep for the next one too (caisson.local/…).")
    private boolean all;

    @Option(names = "--digests", description = "With the digests by which registries know them.")
    private boolean digests;

    @Option(names = "--no-trunc", description = "Whole ids.")
    private boolean whole;

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "KEY=VALUE",
            description = "Only those that fit: dangling=true|false, reference=PATTERN, label=KEY[=VALUE], label!=…,"
                    + " before=IMAGE, since=IMAGE, until=TIME. Repeatable.")
    private List<String> filters = List.of();

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "json for programs, an object a line, or a template: 'table {{.ID}}\\t{{.Size}}'.")
    private @Nullable String format;

    @Parameters(arity = "0..1", paramLabel = "REPOSITORY[:TAG]", description = "Only images of this name.")
    private @Nullable String name;

    @Override
    public Integer call() {
        String given = format == null || format.isEmpty() ? "table" : format;
        Table table = Table.of(given, digests ? DIGESTS : TABLE, HEADERS);
        PrintWriter out = spec.commandLine().getOut();
        var rows = new ArrayList<Map<String, Object>>();
        var unread = new ArrayList<String>();
        try (Images images = Images.open(Caller.current().directories())) {
            Instant now = Instant.now();
            ImageListFilter filter = ImageListFilter.parse(filters, images, now);
            for (StoredImage image : images.list().reversed()) {
                if (isWanted(image) && filter.accepts(image)) {
                    try {
                        ImageDescription description = images.describe(image);
                        if (filter.accepts(description)) {
                            rows.add(row(image, description, now));
                        }
                    } catch (CaissonException e) { // the others are listed all the same
                        unread.add(e.code() + ": " + nameOf(image) + ": " + e.sentence());
                    }
                }
            }
        }
        if (quiet) {
            rows.stream().map(row -> row.get("ID")).distinct().forEach(out::println);
        } else if (given.equals("json")) {
            rows.forEach(row -> out.println(JsonText.of(row)));
        } else {
            table.lines(rows).forEach(line -> out.println(given.equals("table") ? line.stripTrailing() : line));
        }
        unread.forEach(line -> spec.commandLine().getErr().println("caisson: " + OneLine.of(line)));
        return unread.isEmpty() ? 0 : FAILED;
    }

    private boolean isWanted(StoredImage image) {
        if (name == null) {
            return all || !image.repository().startsWith(OF_BUILDS);
        }
        return GivenName.parse(name).accepts(image);
    }

    private static String nameOf(StoredImage image) {
        String repository = ImageReference.parse(image.repository()).shortRepository();
        return image.tag().map(tag -> repository + ":" + tag).orElse(repository);
    }

    private Map<String, Object> row(StoredImage image, ImageDescription description, Instant now) {
        var row = new LinkedHashMap<String, Object>();
        row.put("Repository", ImageReference.parse(image.repository()).shortRepository());
        row.put("Tag", image.tag().orElse("<none>"));
        row.put("Digest", image.pulled().toString());
        String id = description.id().toString();
        row.put("ID", whole ? id : description.id().hex().substring(0, SHORT));
        row.put(
                "CreatedSince",
                description
                        .created()
                        .map(time -> AgeText.of(time, now) + " ago")
                        .orElse("N/A"));
        row.put("CreatedAt", description.created().map(Instant::toString).orElse("N/A"));
        row.put("Size", SizeText.of(description.bytes(), DIGITS));
        return row;
    }
}
