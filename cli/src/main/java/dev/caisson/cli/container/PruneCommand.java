package dev.caisson.cli.container;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.caller.ErrorLine;
import dev.caisson.cli.text.Pruned;
import dev.caisson.cli.view.ContainerFilter;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DiskUse;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.Leftovers;
import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
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
            description =
                    "Only those with label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME, name=PART or id=BEGINNING.")
    private List<String> filters = List.of();

    @Override
    public Integer call() throws InterruptedException {
        Pruned.Removal removal = removal(filters, spec.commandLine().getErr());
        PrintWriter out = spec.commandLine().getOut();
        if (!force && !Confirmation.isGiven(out, "all stopped containers")) {
            return 0;
        }
        return removal.run().print(out);
    }

    /// Reads the filters; nothing is removed yet.
    /// @param filters as `--filter` takes them
    /// @param err where is told what stays and why
    public static Pruned.Removal removal(List<String> filters, PrintWriter err) {
        ContainerFilter filter = ContainerFilter.parse(filters);
        EngineOptions options = Caller.current().directories();
        return () -> {
            Leftovers.clear(options);
            var removed = new ArrayList<String>();
            long freed = 0;
            for (ContainerStatus container : ContainerStatus.all(options)) {
                if (!container.running() && container.kept() && filter.accepts(container)) {
                    OptionalLong written = remove(container, options, err);
                    if (written.isPresent()) {
                        removed.add(container.id().value());
                        freed += written.getAsLong();
                    }
                }
            }
            return new Pruned("Deleted Containers", removed, freed);
        };
    }

    /// Removes one, and returns how many bytes it had written; empty if it stays.
    private static OptionalLong remove(ContainerStatus container, EngineOptions options, PrintWriter err)
            throws InterruptedException {
        String id = container.id().value();
        try {
            long written = DiskUse.written(container, options).count();
            Optional<DetachedContainer> detached = DetachedContainer.find(id, options);
            if (detached.isPresent()) {
                detached.get().remove(false);
            } else {
                KeptContainer.find(id, options).remove();
            }
            return OptionalLong.of(written);
        } catch (CaissonException e) {
            err.println(ErrorLine.of(e));
            return OptionalLong.empty();
        }
    }
}
