package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.cli.view.Inspected;
import dev.caisson.cli.view.VolumeObject;
import dev.caisson.engine.Volumes;
import java.util.ArrayList;
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
        Inspected form = Inspected.as(Optional.ofNullable(format));
        Volumes all = Volumes.of(Caller.current().directories());
        var found = new ArrayList<Map<String, Object>>();
        int status =
                EachName.act(wanted, spec.commandLine().getErr(), one -> found.add(VolumeObject.of(all.get(one), all)));
        form.print(spec.commandLine().getOut(), found);
        return status;
    }
}
