package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.text.AgeText;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageLayer;
import dev.caisson.image.StoredImage;
import dev.caisson.text.Json;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson history`: the steps that made an image.
@Command(
        name = "history",
        sortOptions = false,
        description = "Show the steps that made an image, the last one first.",
        footer = {
            "%nSIZE is that of a step's compressed layer, as it lies in the store.",
            "%n  caisson history --no-trunc debian:13",
            "  caisson history --format '{{.Size}} {{.CreatedBy}}' debian:13"
        })
public final class ImageHistoryCommand implements Callable<Integer> {
    private static final String TABLE = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
    private static final Map<String, String> HEADERS = Map.of(
            "ID", "IMAGE",
            "CreatedSince", "CREATED",
            "CreatedAt", "CREATED AT",
            "CreatedBy", "CREATED BY",
            "Size", "SIZE",
            "Comment", "COMMENT");
    private static final String MISSING = "<missing>";
    private static final int SHORT = 12;
    private static final int LONGEST_STEP = 45;
    private static final int DIGITS = 3;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-H", "--human"},
            arity = "0..1",
            paramLabel = "true|false",
            fallbackValue = "true",
            defaultValue = "true",
            description = "Sizes and times for people (default: ${DEFAULT-VALUE}); else bytes and dates.")
    private boolean human = true;

    @Option(names = "--no-trunc", description = "Whole ids and steps.")
    private boolean whole;

    @Option(
            names = {"-q", "--quiet"},
            description = "Ids alone.")
    private boolean quiet;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "json for programs, an object a line, or a template: 'table {{.Size}}\\t{{.CreatedBy}}'.")
    private @Nullable String format;

    @Parameters(index = "0", paramLabel = "IMAGE", description = "Name, or the beginning of an id.")
    private String name = "";

    @Override
    public Integer call() {
        String given = format == null || format.isEmpty() ? "table" : format;
        Table table = Table.of(given, TABLE, HEADERS);
        List<Map<String, Object>> rows;
        try (Images images = Images.open(Caller.current().directories())) {
            rows = rows(images, images.find(name));
        }
        PrintWriter out = spec.commandLine().getOut();
        if (quiet) {
            rows.forEach(row -> out.println(row.get("ID")));
        } else {
            table.lines(rows).forEach(line -> out.println(given.equals("table") ? line.stripTrailing() : line));
        }
        return 0;
    }

    /// An image that says nothing of its steps has one for each layer.
    private List<Map<String, Object>> rows(Images images, StoredImage image) {
        Map<String, @Nullable Object> config = ImageObject.document(images, image);
        Iterator<ImageLayer> layers = images.layers(image).iterator();
        var rows = new ArrayList<Map<String, Object>>();
        Instant now = Instant.now();
        for (Object step : config.get("history") instanceof List<?> steps ? steps : List.of()) {
            Map<String, @Nullable Object> fields = step instanceof Map<?, ?> map ? Json.members(map) : Map.of();
            boolean isEmpty = Boolean.TRUE.equals(fields.get("empty_layer"));
            rows.add(
                    row(fields, isEmpty || !layers.hasNext() ? 0 : layers.next().size(), now));
        }
        layers.forEachRemaining(layer -> rows.add(row(Map.of(), layer.size(), now)));
        String id = images.describe(image).id().toString();
        rows.getLast().put("ID", whole ? id : images.describe(image).id().hex().substring(0, SHORT));
        return rows.reversed();
    }

    private Map<String, Object> row(Map<String, @Nullable Object> step, long size, Instant now) {
        Optional<Instant> created = created(ImageObject.text(step, "created", ""));
        String date = created.map(Instant::toString).orElse("N/A");
        String by = line(step, "created_by");
        var row = new LinkedHashMap<String, Object>();
        row.put("ID", MISSING);
        row.put("CreatedAt", date);
        row.put(
                "CreatedSince",
                human ? created.map(time -> AgeText.of(time, now) + " ago").orElse("N/A") : date);
        row.put("CreatedBy", whole ? by : shortened(by));
        row.put("Size", human ? SizeText.of(size, DIGITS) : Long.toString(size));
        row.put("Comment", line(step, "comment"));
        return row;
    }

    private static String line(Map<String, @Nullable Object> step, String key) {
        String text = ImageObject.text(step, key, "").replace('\t', ' ');
        return text.isEmpty() ? text : OneLine.of(text);
    }

    private static String shortened(String step) {
        return step.codePointCount(0, step.length()) <= LONGEST_STEP
                ? step
                : step.substring(0, step.offsetByCodePoints(0, LONGEST_STEP - 1)) + "…";
    }

    private static Optional<Instant> created(String text) {
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(text));
        } catch (DateTimeParseException e) {
            return Optional.empty(); // it says nothing that can be understood
        }
    }
}
