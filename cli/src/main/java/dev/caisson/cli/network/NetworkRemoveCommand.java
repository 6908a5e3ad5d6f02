package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.error.CaissonException;
import dev.caisson.network.NetworkException;
import dev.caisson.network.Networks;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson network rm`: removes networks that no container is on.
@Command(
        name = "rm",
        sortOptions = false,
        description = "Remove networks that no container is on.",
        footer = "%n  caisson network rm back db")
final class NetworkRemoveCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description = "No error if there is no such network.")
    private boolean force;

    @Parameters(arity = "1..*", paramLabel = "NETWORK", description = "Names, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        EngineOptions options = Caller.current().directories();
        try (Networks networks = HostNetworks.open(options)) {
            return EachName.act(wanted, err, problem -> force && isMissing(problem), one -> {
                HostNetworks.remove(networks, options, one);
                spec.commandLine().getOut().println(OneLine.of(one));
            });
        }
    }

    private static boolean isMissing(CaissonException problem) {
        return problem instanceof NetworkException refused
                && refused.reason() == NetworkException.Code.NETWORK_NOT_FOUND;
    }
}
