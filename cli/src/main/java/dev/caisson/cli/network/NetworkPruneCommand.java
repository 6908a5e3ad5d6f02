package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.Confirmation;
import dev.caisson.cli.caller.ErrorLine;
import dev.caisson.cli.text.Pruned;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.error.CaissonException;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson network prune`: removes all networks that no container is on, but the default one.
@Command(
        name = "prune",
        sortOptions = false,
        description = "Remove all networks that no container is on, except the default one.",
        footer = "%n  caisson network prune -f --filter label=team=core")
public final class NetworkPruneCommand implements Callable<Integer> {
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
            description = "Only those with label=KEY[=VALUE] or label!=KEY[=VALUE], or made before until=TIME.")
    private List<String> filters = List.of();

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        Pruned.Removal removal = removal(filters, spec.commandLine().getErr());
        if (!force && !Confirmation.isGiven(out, "all networks that no container is on")) {
            return 0;
        }
        removal.run().printNames(out);
        return 0;
    }

    /// Reads the filters; nothing is removed yet.
    /// @param filters as `--filter` takes them
    /// @param err where is told what stays and why
    public static Pruned.Removal removal(List<String> filters, PrintWriter err) {
        NetworkFilter filter = NetworkFilter.parse(filters, NetworkFilter.OF_PRUNE, _ -> false);
        EngineOptions options = Caller.current().directories();
        return () -> new Pruned(
                "Deleted Networks",
                HostNetworks.read(options, List.of(), networks -> remove(networks, options, filter, err)),
                0);
    }

    /// One that a container joins meanwhile stays as it is.
    private static List<String> remove(
            Networks networks, EngineOptions options, NetworkFilter filter, PrintWriter err) {
        var removed = new ArrayList<String>();
        for (NetworkInfo network : networks.list()) {
            boolean isUnused = networks.attachedTo(network.id()).isEmpty();
            if (isUnused && !network.name().equals(Networks.DEFAULT) && filter.accepts(network)) {
                try {
                    HostNetworks.remove(networks, options, network.id());
                    removed.add(network.name());
                } catch (CaissonException e) {
                    err.println(ErrorLine.of(e));
                }
            }
        }
        return removed;
    }
}
