package dev.caisson.cli;

import dev.caisson.engine.EngineException;
import dev.caisson.engine.KeptContainer;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson rm`: removes what is kept of containers that have ended, and says which.
@Command(
        name = "rm",
        sortOptions = false,
        description = "Remove containers that have ended: their logs, and how they ended.",
        footer = {"%n  caisson rm web-1", "  caisson rm $(caisson ps -aq)"})
final class RemoveCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description = "End one that runs; say nothing of one that is not there.")
    private boolean force;

    @Parameters(arity = "1..*", paramLabel = "CONTAINER", description = "The beginnings of ids, or names.")
    private List<String> containers = List.of();

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        int status = 0;
        for (String container : containers) {
            try {
                remove(container);
                out.println(OneLine.of(container));
            } catch (EngineException e) {
                if (!force || !e.code().equals("CONTAINER_UNKNOWN")) {
                    err.println("caisson: " + e.code() + ": " + OneLine.of(e.getMessage()));
                    status = 1; // as docker's
                }
            }
        }
        return status;
    }

    private void remove(String container) throws InterruptedException {
        KeptContainer kept = KeptContainer.find(container, Directories.options());
        if (force) {
            kept.kill();
        }
        kept.remove();
    }
}
