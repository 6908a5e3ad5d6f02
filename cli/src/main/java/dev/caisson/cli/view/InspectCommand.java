package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Template;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DiskUse;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
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

/// `caisson inspect`: all that is known of containers.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of containers, in Docker's form.",
        footer = {"%n  caisson inspect web", "  caisson inspect -f '{{.State.Status}} {{.State.ExitCode}}' web"})
public final class InspectCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

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

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "container", description = "container.")
    private String type = "container";

    @Parameters(arity = "1..*", paramLabel = "CONTAINER", description = "Names, or the beginnings of ids.")
    private List<String> containers = List.of();

    @Override
    public Integer call() throws InterruptedException {
        if (!type.equals("container")) {
            throw CommandException.refused("--type " + type, "give container");
        }
        boolean json = format == null || format.equals("json") || format.isEmpty();
        Template template = json ? Template.parse("") : Template.parse(String.valueOf(format));
        EngineOptions options = Caller.current().directories();
        Leftovers.clear(options);
        var found = new ArrayList<Map<String, Object>>();
        int status = 0;
        for (String container : containers) {
            try {
                found.add(object(container, options));
            } catch (CaissonException e) {
                spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                status = SOME_FAILED;
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(
                    format == null
                            ? IndentedJson.of(found)
                            : Template.parse("{{json .}}").render(found));
        } else {
            found.forEach(one -> out.println(template.render(one)));
        }
        return status;
    }

    private Map<String, Object> object(String container, EngineOptions options) throws InterruptedException {
        ContainerStatus status = ContainerStatus.find(container, options);
        Optional<DetachedContainer> detached =
                DetachedContainer.find(status.id().value(), options);
        Map<String, Object> object = InspectObject.of(status, detached, NetworkPlaces.of(status.id(), options));
        if (size) {
            object.put("SizeRw", DiskUse.written(status, options).count());
        }
        return object;
    }
}
