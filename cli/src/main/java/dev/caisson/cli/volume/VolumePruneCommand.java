package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.text.SizeText;
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
final class VolumePruneCommand implements Callable<Integer> {
    private static final int DIGITS = 4;

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
            description = "Only those with label=KEY[=VALUE], or without it (label!=).")
    private List<String> filters = List.of();

    @Override
    public Integer call() {
        VolumeFilter filter = VolumeFilter.parse(filters, VolumeFilter.OF_PRUNE, _ -> false);
        PrintWriter out = spec.commandLine().getOut();
        String what = all
                ? "all volumes that no container has, with their files"
                : "all anonymous volumes that no container has, with their files";
        if (!force && !Confirmation.isGiven(out, what)) {
            return 0;
        }
        Volumes every = Volumes.of(Caller.current().directories());
        var bytes = new HashMap<VolumeName, Long>();
        List<Volume> removed = every.prune(volume -> {
            boolean chosen = (all || volume.anonymous()) && filter.accepts(volume);
            if (chosen && !every.isInUse(volume.name())) {
                bytes.put(volume.name(), every.use(volume.name()).onDisk().count());
            }
            return chosen;
        });
        if (!removed.isEmpty()) {
            out.println("Deleted Volumes:");
            removed.forEach(volume -> out.println(volume.name()));
            out.println();
        }
        long freed = removed.stream()
                .mapToLong(volume -> bytes.getOrDefault(volume.name(), 0L))
                .sum();
        out.println("Total reclaimed space: " + SizeText.of(freed, DIGITS));
        return 0;
    }
}
