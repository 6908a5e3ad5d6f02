package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.text.Pruned;
import dev.caisson.engine.Volume;
import dev.caisson.engine.Volumes;
import dev.caisson.spec.VolumeName;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson volume prune`: removes volumes that nothing uses.
@Command(
        name = "prune",
        sortOptions = false,
        description = "Remove the volumes whose names were made up and that no container has, with their files.",
        footer = "%n  caisson volume prune -a -f --filter label=team=core")
public final class VolumePruneCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--all"},
            description = "Those with names too.")
    private boolean all;

    @Option(
            names = {"-f", "--force"},
            description = "Do not ask.")
    private boolean force;

    @Option(
            names = "--filter",
            paramLabel = "KEY=VALUE",
            description = "Only those with label=KEY[=VALUE], or without it (label!=); all=BOOLEAN is -a.")
    private List<String> filters = List.of();

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        Pruned.Removal removal = removal(all, filters);
        String what = all
                ? "all volumes that no container has, with their files"
                : "all anonymous volumes that no container has, with their files";
        if (!force && !Confirmation.isGiven(out, what)) {
            return 0;
        }
        return removal.run().print(out);
    }

    /// Reads the filters; nothing is removed yet.
    /// @param all whether those with names go, too
    /// @param filters as `--filter` takes them
    public static Pruned.Removal removal(boolean all, List<String> filters) {
        VolumeFilter filter = VolumeFilter.parse(filters, VolumeFilter.OF_PRUNE, _ -> false);
        Volumes every = Volumes.of(Caller.current().directories());
        return () -> {
            var bytes = new HashMap<VolumeName, Long>();
            List<Volume> removed = every.prune(volume -> {
                boolean chosen = (all || filter.has("all") || volume.anonymous()) && filter.accepts(volume);
                if (chosen && !every.isInUse(volume.name())) {
                    bytes.put(volume.name(), every.use(volume.name()).onDisk().count());
                }
                return chosen;
            });
            return new Pruned(
                    "Deleted Volumes",
                    removed.stream().map(volume -> volume.name().value()).toList(),
                    removed.stream()
                            .mapToLong(volume -> bytes.getOrDefault(volume.name(), 0L))
                            .sum());
        };
    }
}
