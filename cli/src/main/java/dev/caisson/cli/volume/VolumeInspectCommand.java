package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.view.IndentedJson;
import dev.caisson.engine.Volume;
import dev.caisson.engine.VolumeUse;
import dev.caisson.engine.Volumes;
import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
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

/// `caisson volume inspect`: all that is known of volumes.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of volumes, in Docker's form, with what is used and who uses it.",
        footer = {
            "%n  caisson volume inspect data",
            "  caisson volume inspect -f '{{.UsageData.Size}} of {{.Bound.Bytes}}' data"
        })
final class VolumeInspectCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.Name}}, {{json .Labels}}, {{range}}, {{if}}.")
    private @Nullable String format;

    @Parameters(arity = "1..*", paramLabel = "VOLUME", description = "Names.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        boolean json = format == null || format.equals("json") || format.isEmpty();
        Template template = json ? Template.parse("{{json .}}") : Template.parse(String.valueOf(format));
        Volumes all = Volumes.of(Caller.current().directories());
        var found = new ArrayList<Map<String, Object>>();
        int status = 0;
        for (String one : wanted) {
            try {
                Volume volume = all.get(one);
                found.add(object(volume, all.use(volume.name())));
            } catch (CaissonException e) {
                spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                status = SOME_FAILED;
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(format == null ? IndentedJson.of(found) : template.render(found));
        } else {
            found.forEach(one -> out.println(template.render(one)));
        }
        return status;
    }

    private static Map<String, Object> object(Volume volume, VolumeUse use) {
        var object = new LinkedHashMap<String, Object>();
        object.put("CreatedAt", volume.created().toString());
        object.put("Driver", "local");
        object.put("Labels", new Template.Dictionary(volume.labels()));
        object.put("Mountpoint", "");
        object.put("Name", volume.name().value());
        object.put("Options", volume.sized() ? Map.of("size", volume.size().toString()) : Map.of());
        object.put("Scope", "local");
        object.put("Anonymous", volume.anonymous());
        var bound = new LinkedHashMap<String, Object>();
        bound.put("Bytes", volume.size().count());
        bound.put("Inodes", volume.inodes());
        object.put("Bound", bound);
        var usage = new LinkedHashMap<String, Object>();
        usage.put("Size", use.used().count());
        usage.put("Inodes", use.inodes());
        usage.put("OnDisk", use.onDisk().count());
        usage.put("RefCount", (long) use.containers().size());
        object.put("UsageData", usage);
        object.put("InUse", use.inUse());
        object.put("Containers", use.containers());
        return object;
    }
}
