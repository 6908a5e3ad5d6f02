package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.cli.view.Inspected;
import dev.caisson.cli.view.NetworkObject;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson network inspect`: all that is known of networks.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of networks and the containers on them, in Docker's form.",
        footer = {
            "%n  caisson network inspect back",
            "  caisson network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' back"
        })
final class NetworkInspectCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.Id}}, {{json .IPAM}}, {{range}}, {{if}}.")
    private @Nullable String format;

    @Option(
            names = {"-v", "--verbose"},
            hidden = true)
    @SuppressWarnings("UnusedVariable") // Docker shows more of services of several hosts, of which there are none
    private boolean verbose;

    @Parameters(arity = "1..*", paramLabel = "NETWORK", description = "Names, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        Inspected form = Inspected.as(Optional.ofNullable(format));
        EngineOptions options = Caller.current().directories();
        Map<ContainerId, String> containers = NetworkObject.containers(options);
        var found = new ArrayList<Map<String, Object>>();
        int status;
        try (Networks networks = HostNetworks.open(options)) {
            status = EachName.act(
                    wanted,
                    spec.commandLine().getErr(),
                    one -> found.add(NetworkObject.of(networks.get(one), networks, containers)));
        }
        form.print(spec.commandLine().getOut(), found);
        return status;
    }
}
