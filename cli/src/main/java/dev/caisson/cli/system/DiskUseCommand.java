package dev.caisson.cli.system;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Table;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.DiskUse;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson system df`: what images, containers, logs, volumes, workspaces and snapshots take.
@Command(
        name = "df",
        sortOptions = false,
        description = "Show what images, writable layers, logs, volumes, workspaces and snapshots take.",
        footer = {
            "%nWhat can be reclaimed is that of containers which do not run, and of images, volumes, workspaces and snapshots that",
            "no container has: 'caisson container prune', 'image prune -a', 'volume prune', 'workspace prune' and 'snapshot",
            "prune' free it. Images count as they were fetched and as they were unpacked, with those that builds keep; what",
            "several have counts once.",
            "%n  caisson system df -v",
            "  caisson system df --format '{{.Type}} {{.Size}}'",
            "  caisson system df -v --format json"
        })
public final class DiskUseCommand implements Callable<Integer> {
    private static final int DIGITS = 4;
    private static final String TABLE = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";
    private static final Map<String, String> HEADERS = Map.of(
            "Type", "TYPE",
            "TotalCount", "TOTAL",
            "Active", "ACTIVE",
            "Size", "SIZE",
            "Reclaimable", "RECLAIMABLE");
    private static final String IMAGES =
            "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}";
    private static final String CONTAINERS = "{{.ID}}\t{{.Image}}\t{{.Size}}\t{{.Log}}\t{{.State}}\t{{.Names}}";
    private static final String SHARED = "{{.Name}}\t{{.Links}}\t{{.Size}}";
    private static final Map<String, String> IMAGE_HEADERS = Map.of(
            "Repository", "REPOSITORY",
            "Tag", "TAG",
            "ID", "IMAGE ID",
            "Size", "SIZE",
            "SharedSize", "SHARED SIZE",
            "UniqueSize", "UNIQUE SIZE",
            "Containers", "CONTAINERS");
    private static final Map<String, String> DETAIL_HEADERS =
            Map.of("ID", "ID", "Image", "IMAGE", "Size", "SIZE", "Log", "LOG", "State", "STATE", "Names", "NAMES");

    /// A volume, workspace or snapshot.
    private record Shared(String name, int containers, long bytes, boolean inUse) {}

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-v", "--verbose"},
            description = "Each image, container, volume, workspace and snapshot by itself.")
    private boolean verbose;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description =
                    "json for programs, an object a line, or a template: 'table {{.Type}}\\t{{.Size}}'; with -v one object of lists.")
    private @Nullable String format;

    @Override
    public Integer call() {
        String given = format;
        if (verbose && given != null && given.startsWith("table")) {
            throw CommandException.usage("-v has a table of each kind: leave --format out, or give json or a template");
        }
        Table table = Table.of(given == null || given.isEmpty() ? "table" : given, TABLE, HEADERS);
        EngineOptions options = Caller.current().directories();
        Leftovers.clear(options);
        DiskUse use = DiskUse.read(options);
        if (verbose && given != null && !given.isEmpty()) {
            Template template = Template.parse(given.equals("json") ? "{{json .}}" : given.replace("\\t", "\t"));
            spec.commandLine().getOut().println(template.render(new DiskUseFields(use).all()));
        } else if (verbose) {
            details(use);
            sharedDetails(use);
        } else {
            print(table, sums(use));
        }
        return 0;
    }

    private static List<Map<String, Object>> sums(DiskUse use) {
        return List.of(
                row(use.images()),
                row("Containers", use, container -> container.written().count()),
                row("Logs", use, container -> container.log().count()),
                row("Local Volumes", volumes(use)),
                row("Workspaces", workspaces(use)),
                row("Snapshots", snapshots(use)));
    }

    private static Map<String, Object> row(DiskUse.OfImages images) {
        long active = images.all().stream().filter(image -> image.users() > 0).count();
        return row(
                "Images",
                images.all().size(),
                Long.toString(active),
                images.onDisk().count(),
                images.reclaimable().count());
    }

    private static Map<String, Object> row(String type, List<Shared> all) {
        long active = all.stream().filter(Shared::inUse).count();
        return row(
                type,
                all.size(),
                Long.toString(active),
                all.stream().mapToLong(Shared::bytes).sum(),
                all.stream()
                        .filter(shared -> !shared.inUse())
                        .mapToLong(Shared::bytes)
                        .sum());
    }

    private static List<Shared> volumes(DiskUse use) {
        return use.volumes().stream()
                .map(volume -> new Shared(
                        volume.name().value(),
                        volume.containers(),
                        volume.onDisk().count(),
                        volume.inUse()))
                .toList();
    }

    private static List<Shared> workspaces(DiskUse use) {
        return use.workspaces().stream()
                .map(workspace -> new Shared(
                        workspace.name().value(),
                        workspace.containers(),
                        workspace.onDisk().count(),
                        workspace.inUse()))
                .toList();
    }

    private static List<Shared> snapshots(DiskUse use) {
        return use.snapshots().stream()
                .map(snapshot -> new Shared(
                        snapshot.name().value(),
                        snapshot.containers(),
                        snapshot.bytes().count(),
                        snapshot.containers() > 0))
                .toList();
    }

    private static Map<String, Object> row(String type, DiskUse use, ToLongFunction<DiskUse.OfContainer> bytes) {
        long active =
                use.containers().stream().filter(DiskUse.OfContainer::running).count();
        return row(
                type,
                use.containers().size(),
                Long.toString(active),
                sum(use, bytes, _ -> true),
                sum(use, bytes, container -> !container.running()));
    }

    private static long sum(
            DiskUse use, ToLongFunction<DiskUse.OfContainer> bytes, Predicate<DiskUse.OfContainer> counts) {
        return use.containers().stream().filter(counts).mapToLong(bytes).sum();
    }

    /// In Docker's form: texts, with the share that can be reclaimed.
    private static Map<String, Object> row(String type, int total, String active, long bytes, long reclaimable) {
        var row = new LinkedHashMap<String, Object>();
        row.put("Active", active);
        String share = bytes == 0 ? "" : " (" + reclaimable * 100 / bytes + "%)";
        row.put("Reclaimable", SizeText.of(reclaimable, DIGITS) + share);
        row.put("Size", SizeText.of(bytes, DIGITS));
        row.put("TotalCount", Integer.toString(total));
        row.put("Type", type);
        return row;
    }

    private void details(DiskUse use) {
        PrintWriter out = spec.commandLine().getOut();
        out.println("Images:");
        print(
                Table.of("table", IMAGES, IMAGE_HEADERS),
                use.images().all().stream().map(DiskUseFields::image).toList());
        out.println();
        out.println("Containers:");
        print(
                Table.of("table", CONTAINERS, DETAIL_HEADERS),
                use.containers().stream()
                        .map(container -> Map.<String, Object>of(
                                "ID", container.id().shortForm(),
                                "Image", OneLine.of(container.image()),
                                "Size", SizeText.of(container.written().count(), DIGITS),
                                "Log", SizeText.of(container.log().count(), DIGITS),
                                "State", container.running() ? "running" : "ended",
                                "Names", container.name()))
                        .toList());
    }

    private void sharedDetails(DiskUse use) {
        sharedDetails("Local Volumes:", "VOLUME NAME", volumes(use));
        sharedDetails("Workspaces:", "WORKSPACE NAME", workspaces(use));
        sharedDetails("Snapshots:", "SNAPSHOT NAME", snapshots(use));
    }

    private void sharedDetails(String title, String nameHeader, List<Shared> all) {
        spec.commandLine().getOut().println();
        spec.commandLine().getOut().println(title);
        print(
                Table.of("table", SHARED, Map.of("Name", nameHeader, "Links", "LINKS", "Size", "SIZE")),
                all.stream()
                        .map(shared -> Map.<String, Object>of(
                                "Name", shared.name(),
                                "Links", Integer.toString(shared.containers()),
                                "Size", SizeText.of(shared.bytes(), DIGITS)))
                        .toList());
    }

    private void print(Table table, List<Map<String, Object>> rows) {
        table.lines(rows).forEach(line -> spec.commandLine().getOut().println(line.stripTrailing()));
    }
}
