package dev.caisson.cli.snapshot;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.Snapshots;
import dev.caisson.error.CaissonException;
import dev.caisson.image.SnapshotName;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson snapshot rm`: removes snapshots.
@Command(
        name = "rm",
        sortOptions = false,
        description = "Remove snapshots; one that a container or another snapshot was made of is refused.",
        footer = "%n  caisson snapshot rm prepared")
final class SnapshotRemoveCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description = "Say nothing of one that is not there.")
    private boolean force;

    @Parameters(arity = "1..*", paramLabel = "SNAPSHOT", description = "Names.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        Snapshots all = Snapshots.of(Caller.current().directories());
        int status = 0;
        for (String name : names) {
            try {
                all.remove(new SnapshotName(name));
                spec.commandLine().getOut().println(name);
            } catch (CaissonException e) {
                if (!force || !e.code().equals("SNAPSHOT_UNKNOWN")) {
                    spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                    status = SOME_FAILED;
                }
            }
        }
        return status;
    }
}
