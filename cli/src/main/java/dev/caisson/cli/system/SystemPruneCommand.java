package dev.caisson.cli.system;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.container.PruneCommand;
import dev.caisson.cli.image.PruneImagesCommand;
import dev.caisson.cli.network.NetworkPruneCommand;
import dev.caisson.cli.text.Pruned;
import dev.caisson.cli.volume.VolumePruneCommand;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson system prune`: removes what no container needs, the containers that do not run first.
@Command(
        name = "prune",
        sortOptions = false,
        description = "Remove containers that do not run, networks and images that no container has left, and with"
                + " --volumes volumes.",
        footer = {
            "%nImages go that have no name, with -a all that no container has; volumes with a made up name alone.",
            "%n  caisson system prune -f",
            "  caisson system prune -a -f --volumes --filter label!=keep"
        })
public final class SystemPruneCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--all"},
            description = "All images that no container has.")
    private boolean all;

    @Option(
            names = {"-f", "--force"},
            description = "Do not ask.")
    private boolean force;

    @Option(names = "--volumes", description = "Volumes too whose names were made up and that no container has.")
    private boolean volumes;

    @Option(
            names = "--filter",
            paramLabel = "KEY=VALUE",
            description = "Only what has label=KEY[=VALUE], has not label!=KEY[=VALUE], or was made before until=TIME.")
    private List<String> filters = List.of();

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        for (String filter : filters) {
            String key = filter.split("=", 2)[0];
            if (!List.of("label", "label!", "until").contains(key)) {
                throw CommandException.usage("--filter takes label, label! or until, not '" + key + "'");
            }
            if (volumes && key.equals("until")) {
                throw CommandException.usage("volumes are not chosen by time: leave --volumes or --filter until out");
            }
        }
        var removals = new ArrayList<>(List.of(
                PruneCommand.removal(filters, err),
                NetworkPruneCommand.removal(filters, err),
                PruneImagesCommand.removal(all, filters, err)));
        if (volumes) {
            removals.add(1, VolumePruneCommand.removal(false, filters));
        }
        if (!force && !Confirmation.isGiven(out, what())) {
            return 0;
        }
        long bytes = 0;
        int status = 0;
        for (Pruned.Removal removal : removals) {
            Pruned removed = removal.run();
            removed.printNames(out);
            bytes += removed.bytes();
            status = Math.max(status, removed.status());
        }
        Pruned.printSpace(out, bytes);
        return status;
    }

    private String what() {
        return "all stopped containers, all networks that no container is on, "
                + (volumes ? "all anonymous volumes that no container has, with their files, " : "")
                + (all ? "all images that no container has" : "all images without a name");
    }
}
