package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.option.BooleanText;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Subnet;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson network create`: makes a network.
@Command(
        name = "create",
        sortOptions = false,
        description = "Make a network. Its containers reach each other and the outside; nobody reaches them but by"
                + " published ports, and they reach no service of the host.",
        footer = {
            "%n  caisson network create back",
            "  caisson network create --internal --subnet 10.9.0.0/24 db",
            "  caisson network create --opt icc=false --ipv6 guests"
        })
final class NetworkCreateCommand implements Callable<Integer> {
    private static final String BRIDGE = "bridge";
    private static final String DOCKER_ICC = "com.docker.network.bridge.enable_icc";
    private static final String DOCKER_MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade";
    private static final String DOCKER_BINDING = "com.docker.network.bridge.host_binding_ipv4";
    private static final String DOCKER_NAME = "com.docker.network.bridge.name";
    private static final String DOCKER_MTU = "com.docker.network.driver.mtu";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-d", "--driver"},
            paramLabel = "DRIVER",
            defaultValue = BRIDGE,
            description = "bridge, the only one (default: ${DEFAULT-VALUE}).")
    private String driver = BRIDGE;

    @Option(
            names = "--subnet",
            paramLabel = "SUBNET",
            description = "Addresses in CIDR form, one subnet of each family (default: a free one).")
    private List<String> subnets = List.of();

    @Option(
            names = "--gateway",
            paramLabel = "ADDRESS",
            description = "The host's address in a subnet (default: the first).")
    private List<String> gateways = List.of();

    @Option(
            names = "--ip-range",
            paramLabel = "SUBNET",
            description = "Part of a subnet that addresses of containers are chosen from (default: the whole).")
    private List<String> ranges = List.of();

    @Option(names = "--internal", description = "No way out and none in.")
    private boolean internal;

    @Option(names = "--ipv6", description = "Addresses of both families.")
    private boolean ipv6;

    @Option(
            names = {"-o", "--opt"},
            paramLabel = "KEY=VALUE",
            description = "icc=false: containers do not reach each other; mtu=BYTES: largest packet (default: 1500).")
    private List<String> options = List.of();

    @Option(
            names = "--label",
            paramLabel = "KEY=VALUE",
            description = "A label, shown by inspect and found by ls --filter.")
    private List<String> labels = List.of();

    @Mixin
    private final DockerCreation others = new DockerCreation();

    @Parameters(paramLabel = "NAME", description = "Name of the network.")
    private String name = "";

    private boolean betweenContainers = true;
    private int mtu;

    @Override
    public Integer call() {
        if (!driver.equals(BRIDGE)) {
            throw CommandException.usage("--driver takes bridge, not '" + OneLine.of(driver) + "'");
        }
        others.require();
        options.forEach(this::option);
        var wanted = new NetworkSpec(name, pools(), internal, ipv6, betweenContainers, mtu, labels());
        EngineOptions options = Caller.current().directories();
        try (Networks networks = HostNetworks.open(options)) {
            NetworkInfo made = HostNetworks.create(networks, options, wanted);
            spec.commandLine().getOut().println(made.id());
            networks.warnings(Network.on(name))
                    .forEach(
                            warning -> spec.commandLine().getErr().println("caisson: warning: " + OneLine.of(warning)));
        }
        return 0;
    }

    private void option(String text) {
        String[] pair = OptionText.pair("--opt", text);
        switch (pair[0]) {
            case "icc", DOCKER_ICC -> betweenContainers = BooleanText.parse("--opt " + pair[0], pair[1]);
            case "mtu", DOCKER_MTU -> mtu = mtu(pair[1]);
            case DOCKER_MASQUERADE ->
                require(
                        BooleanText.parse("--opt " + pair[0], pair[1]),
                        pair[0],
                        "containers reach the outside under the host's address: give --internal if they are not to");
            case DOCKER_BINDING ->
                require(
                        pair[1].equals("0.0.0.0"),
                        pair[0],
                        "each port has the address that it is published on: give --publish ADDRESS:PORT:PORT");
            case DOCKER_NAME ->
                require(false, pair[0], "a bridge is named by the id of its network: inspect shows its name");
            default ->
                throw CommandException.usage("--opt takes icc=BOOLEAN or mtu=BYTES, not '" + OneLine.of(pair[0]) + "'");
        }
    }

    /// Refuses a value of Docker's for which there is no other way.
    private static void require(boolean so, String key, String why) {
        if (!so) {
            throw CommandException.refused("--opt " + key, why);
        }
    }

    private static int mtu(String text) {
        if (!text.matches("[1-9][0-9]{0,4}")) {
            throw CommandException.usage("--opt mtu takes a number of bytes, not '" + OneLine.of(text) + "'");
        }
        return Integer.parseInt(text);
    }

    private Map<String, String> labels() {
        var all = new LinkedHashMap<String, String>();
        for (String label : labels) {
            int equals = label.indexOf('=');
            if (label.isEmpty() || equals == 0) {
                throw CommandException.usage("--label takes KEY=VALUE, not '" + OneLine.of(label) + "'");
            }
            all.put(equals < 0 ? label : label.substring(0, equals), equals < 0 ? "" : label.substring(equals + 1));
        }
        return all;
    }

    /// A gateway and a range belong to the subnet that they lie in.
    private List<NetworkSpec.Pool> pools() {
        var restGateways = new ArrayList<InetAddress>();
        gateways.forEach(text -> restGateways.add(address(text)));
        var restRanges = new ArrayList<Subnet>();
        ranges.forEach(text -> restRanges.add(Subnet.parse(text)));
        var pools = new ArrayList<NetworkSpec.Pool>();
        for (String text : subnets) {
            Subnet subnet = Subnet.parse(text);
            Optional<InetAddress> gateway =
                    restGateways.stream().filter(subnet::contains).findFirst();
            Optional<Subnet> range =
                    restRanges.stream().filter(subnet::contains).findFirst();
            gateway.ifPresent(restGateways::remove);
            range.ifPresent(restRanges::remove);
            pools.add(new NetworkSpec.Pool(subnet, range, gateway));
        }
        if (!restGateways.isEmpty()) {
            throw CommandException.usage(
                    "--gateway " + AddressText.of(restGateways.getFirst()) + " lies in no --subnet: name its subnet");
        }
        if (!restRanges.isEmpty()) {
            throw CommandException.usage(
                    "--ip-range " + restRanges.getFirst() + " lies in no --subnet: name its subnet");
        }
        return pools;
    }

    private static InetAddress address(String text) {
        return AddressText.parse(text)
                .orElseThrow(
                        () -> CommandException.usage("--gateway takes an address, not '" + OneLine.of(text) + "'"));
    }
}
