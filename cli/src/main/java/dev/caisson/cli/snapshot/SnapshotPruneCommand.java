package dev.caisson.cli.snapshot;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.Snapshots;
import dev.caisson.image.Snapshot;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson snapshot prune`: removes snapshots that nothing was made of.
@Command(
        name = "prune",
        sortOptions = false,
        description = "Remove the snapshots that no container was made of, and no snapshot that stays.",
        footer = "%n  caisson snapshot prune -f")
final class SnapshotPruneCommand implements Callable<Integer> {
    private static final int DIGITS = 4;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description = "Do not ask.")
    private boolean force;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (!force && !Confirmation.isGiven(out, "all snapshots that no container was made of")) {
            return 0;
        }
        List<Snapshot> removed = Snapshots.of(Caller.current().directories()).prune();
        if (!removed.isEmpty()) {
            out.println("Deleted Snapshots:");
            removed.forEach(snapshot -> out.println(snapshot.name()));
            out.println();
        }
        long bytes = removed.stream().mapToLong(Snapshot::bytes).sum();
        out.println("Total reclaimed space: " + SizeText.of(bytes, DIGITS));
        return 0;
    }
}
