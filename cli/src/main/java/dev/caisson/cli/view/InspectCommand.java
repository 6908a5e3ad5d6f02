package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.EachName;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
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

/// `caisson inspect`: all that is known of containers, images, networks and volumes.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of containers, images, networks or volumes, in Docker's form.",
        footer = {
            "%n  caisson inspect web",
            "  caisson inspect -f '{{.State.Status}} {{.State.ExitCode}}' web",
            "  caisson inspect --type image debian:13"
        })
public final class InspectCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.State.Pid}}, {{json .Config.Labels}}, {{range}}, {{if}}.")
    private @Nullable String format;

    @Option(
            names = {"-s", "--size"},
            description = "What each has written into its root, too: SizeRw.")
    private boolean size;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description = "container, image, network or volume (default: the first of them with that name).")
    private @Nullable String type;

    @Parameters(arity = "1..*", paramLabel = "NAME", description = "Names, or the beginnings of ids.")
    private List<String> names = List.of();

    @Override
    public Integer call() throws InterruptedException {
        Optional<NamedObject.Kind> kind = Optional.ofNullable(type)
                .map(given -> NamedObject.Kind.called(given)
                        .orElseThrow(
                                () -> CommandException.refused("--type " + given, "give " + NamedObject.Kind.words())));
        Inspected form = Inspected.as(Optional.ofNullable(format));
        EngineOptions options = Caller.current().directories();
        Leftovers.clear(options);
        var objects = new NamedObject(options, size);
        var found = new ArrayList<Map<String, ? extends @Nullable Object>>();
        int status = EachName.act(
                names,
                spec.commandLine().getErr(),
                name -> found.add(kind.isPresent() ? objects.of(kind.get(), name) : objects.any(name)));
        form.print(spec.commandLine().getOut(), found);
        return status;
    }
}
