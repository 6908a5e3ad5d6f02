package dev.caisson.cli.container;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A command that does the same with several containers, as Docker's: it prints those with which that worked, and exits
/// with 1 if there was another.
abstract class ContainerCommand implements Callable<Integer> {
    static final String UNKNOWN = "CONTAINER_UNKNOWN";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "CONTAINER", description = "Names, or the beginnings of ids.")
    private List<String> containers = List.of();

    @Override
    public final Integer call() throws InterruptedException {
        EngineOptions options = Caller.current().directories();
        prepare();
        Leftovers.clear(options);
        return EachName.weighed(containers, err(), this::weight, container -> {
            act(container, options);
            if (printsNames()) {
                out().println(OneLine.of(container));
            }
        });
    }

    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    PrintWriter err() {
        return spec.commandLine().getErr();
    }

    /// Returns whether to print the name of each container for which it worked.
    boolean printsNames() {
        return true;
    }

    /// Refuses options that are wrong for every container.
    void prepare() {}

    /// @throws CaissonException if it did not work
    abstract void act(String container, EngineOptions options) throws InterruptedException;

    /// Returns what a problem with one container means for the command.
    EachName.Weight weight(CaissonException problem) {
        return EachName.Weight.FAILURE;
    }
}
