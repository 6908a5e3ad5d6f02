package dev.caisson.cli.workspace;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.engine.Workspaces;
import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A command that does the same with several workspaces; it exits with 1 if it did not work with one.
abstract class WorkspaceCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "WORKSPACE", description = "Names.")
    private List<String> names = List.of();

    @Override
    public final Integer call() {
        Workspaces all = Workspaces.of(Caller.current().directories());
        return EachName.act(
                names,
                spec.commandLine().getErr(),
                this::isNoFailure,
                name -> act(name, all, spec.commandLine().getOut()));
    }

    /// @throws CaissonException if it did not work
    abstract void act(String name, Workspaces all, PrintWriter out);

    /// True if a workspace may be passed over without a word.
    boolean isNoFailure(CaissonException problem) {
        return false;
    }
}
