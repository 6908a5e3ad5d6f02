package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.cli.container.DetachedLookup;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.engine.NetworkKeeper;
import dev.caisson.error.ArgumentException;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NetworkEndpoint;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson network connect`: puts a container on one more network, at once if it runs.
@Command(
        name = "connect",
        sortOptions = false,
        description =
                "Put a container of create or run -d on one more network, at once if it runs, and for later starts.",
        footer = {
            "%n  caisson network connect back web",
            "  caisson network connect --alias db --ip 10.9.0.7 back postgres"
        })
final class NetworkConnectCommand implements Callable<Integer> {
    private static final String DEFAULT_TOO = "default";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(names = "--alias", paramLabel = "NAME", description = "A further name on the network.")
    private List<String> aliases = List.of();

    @Option(names = "--ip", paramLabel = "ADDRESS", description = "IPv4 address (default: a free one).")
    private @Nullable String ip;

    @Option(names = "--ip6", paramLabel = "ADDRESS", description = "IPv6 address (default: a free one).")
    private @Nullable String ip6;

    @Option(names = "--mac-address", paramLabel = "MAC", description = "Hardware address on the network.")
    private @Nullable String mac;

    @Option(
            names = "--link",
            paramLabel = "CONTAINER[:ALIAS]",
            description = "Reach a container of the network by a name of its own here, also where icc=false.")
    private List<String> links = List.of();

    @Option(names = "--link-local-ip", paramLabel = "ADDRESS", hidden = true)
    private List<String> linkLocal = List.of();

    @Option(names = "--driver-opt", paramLabel = "NAME=VALUE", hidden = true)
    private List<String> driverOptions = List.of();

    @Option(names = "--gw-priority", paramLabel = "NUMBER", hidden = true)
    private @Nullable String priority;

    @Parameters(index = "0", paramLabel = "NETWORK", description = "A name, or the beginning of an id.")
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private String network;

    @Parameters(index = "1", paramLabel = "CONTAINER", description = "A name, or the beginning of an id.")
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private String container;

    @Override
    public Integer call() throws InterruptedException {
        refuseForeign();
        NetworkEndpoint endpoint = endpoint();
        EngineOptions options = Caller.current().directories();
        DetachedContainer found = DetachedLookup.require(container, options);
        boolean hasNames = hasNames(options);
        if (hasNames) {
            ResidentEngine.startForNames(spec.commandLine().getErr());
        }
        if (!found.networks().connect(endpoint)) {
            String name = OneLine.of(found.name());
            spec.commandLine()
                    .getErr()
                    .println("caisson: note: container " + name + " finds no containers by name "
                            + (NetworkKeeper.isThere(options)
                                    ? "until it is started again: caisson restart " + name
                                    : "there: no resident engine is there to answer"));
        }
        return 0;
    }

    /// Refuses what Docker has and this has not.
    private void refuseForeign() {
        var given = new LinkedHashMap<String, String>();
        if (!linkLocal.isEmpty()) {
            given.put("--link-local-ip", "link-local addresses are the kernel's to give: leave it out");
        }
        if (!driverOptions.isEmpty()) {
            given.put("--driver-opt", "the bridge driver has none for a container: leave it out");
        }
        if (priority != null) {
            given.put(
                    "--gw-priority",
                    "the first network that leads out has the default route: connect in the order you want");
        }
        for (Map.Entry<String, String> one : given.entrySet()) {
            throw CommandException.refused(one.getKey(), one.getValue());
        }
    }

    private NetworkEndpoint endpoint() {
        NetworkEndpoint endpoint = NetworkEndpoint.on(network);
        if (ip != null) {
            endpoint = parsed("--ip", ip, endpoint::ip);
        }
        if (ip6 != null) {
            endpoint = parsed("--ip6", ip6, endpoint::ip6);
        }
        if (mac != null) {
            endpoint = endpoint.mac(parsed("--mac-address", mac, MacAddress::parse));
        }
        for (String alias : aliases) {
            endpoint = parsed("--alias", alias, endpoint::alias);
        }
        for (String link : links) {
            NetworkEndpoint linking = endpoint;
            endpoint = parsed("--link", link, text -> linking.link(ContainerLink.parse(text)));
        }
        return endpoint;
    }

    /// Looks the network up, before anything is started for it.
    private boolean hasNames(EngineOptions options) {
        if (network.equals(Networks.DEFAULT) || network.equals(DEFAULT_TOO)) {
            return false;
        }
        try (Networks networks = HostNetworks.open(options)) {
            return !networks.get(network).name().equals(Networks.DEFAULT);
        }
    }

    private static <T> T parsed(String option, String text, Function<String, T> parse) {
        try {
            return parse.apply(text);
        } catch (ArgumentException e) {
            throw CommandException.refused(option, e.sentence());
        }
    }
}
