package dev.caisson.cli.container;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.caller.ErrorLine;
import dev.caisson.cli.view.ContainerFilter;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.Leftovers;
import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson container prune`: removes all containers that do not run.
@Command(
        name = "prune",
        sortOptions = false,
        description = "Remove all containers that do not run.",
        footer = "%n  caisson container prune -f --filter label=team=core")
public final class PruneCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description = "Do not ask.")
    private boolean force;

    @Option(
            names = "--filter",
            paramLabel = "KEY=VALUE",
            description = "Only those with label=KEY[=VALUE], name=PART or id=BEGINNING.")
    private List<String> filters = List.of();

    @Override
    public Integer call() throws InterruptedException {
        ContainerFilter filter = ContainerFilter.parse(filters);
        EngineOptions options = Caller.current().directories();
        PrintWriter out = spec.commandLine().getOut();
        if (!force && !Confirmation.isGiven(out, "all stopped containers")) {
            return 0;
        }
        Leftovers.clear(options);
        var removed = new ArrayList<String>();
        for (ContainerStatus container : ContainerStatus.all(options)) {
            if (!container.running() && container.kept() && filter.accepts(container)) {
                remove(container.id().value(), options, removed);
            }
        }
        if (!removed.isEmpty()) {
            out.println("Deleted Containers:");
            removed.forEach(out::println);
            out.println();
        }
        return 0;
    }

    /// One that was started or removed meanwhile stays as it is.
    private void remove(String id, EngineOptions options, List<String> removed) throws InterruptedException {
        try {
            Optional<DetachedContainer> detached = DetachedContainer.find(id, options);
            if (detached.isPresent()) {
                detached.get().remove(false);
            } else {
                KeptContainer.find(id, options).remove();
            }
            removed.add(id);
        } catch (CaissonException e) {
            spec.commandLine().getErr().println(ErrorLine.of(e));
        }
    }
}
