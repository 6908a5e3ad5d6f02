package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.PortText;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson port`: the ports of the host that lead to a container.
@Command(
        name = "port",
        sortOptions = false,
        description = "Show which ports of the host lead to a container.",
        footer = {"%n  caisson port web", "  caisson port web 80/tcp"})
public final class PortCommand implements Callable<Integer> {
    private static final int FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its name, or the beginning of its id.")
    private String container = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "PORT[/udp]", description = "The container's port.")
    private @Nullable String port;

    @Override
    public Integer call() {
        EngineOptions options = Caller.current().directories();
        Leftovers.clear(options);
        ContainerStatus status = ContainerStatus.find(container, options);
        List<PortMapping> ports = NetworkView.sorted(NetworkPlaces.of(status.id(), options));
        PrintWriter out = spec.commandLine().getOut();
        if (port == null) {
            ports.forEach(one -> out.println(one.inside() + " -> " + NetworkView.hostSide(one)));
            return 0;
        }
        ContainerPort wanted = wanted(port);
        List<PortMapping> found =
                ports.stream().filter(one -> one.inside().equals(wanted)).toList();
        if (found.isEmpty()) {
            throw new CommandException(
                    "PORT_UNKNOWN",
                    FAILED,
                    "port " + wanted + " of container " + OneLine.of(container) + " is not published: run it with -p "
                            + wanted.number());
        }
        found.forEach(one -> out.println(NetworkView.hostSide(one)));
        return 0;
    }

    private static ContainerPort wanted(String text) {
        try {
            List<ContainerPort> ports = PortText.ports(text);
            if (ports.size() == 1) {
                return ports.getFirst();
            }
        } catch (ArgumentException e) {
            throw CommandException.usage("port " + OneLine.of(text) + ": " + e.sentence());
        }
        throw CommandException.usage("port " + OneLine.of(text) + " is a range: name one port");
    }
}
