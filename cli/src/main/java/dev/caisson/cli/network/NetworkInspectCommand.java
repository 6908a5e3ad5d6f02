package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.view.IndentedJson;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.error.CaissonException;
import dev.caisson.network.Attachment;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.text.AddressText;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
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
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.Id}}, {{json .IPAM}}, {{range}}, {{if}}.")
    private @Nullable String format;

    @Parameters(arity = "1..*", paramLabel = "NETWORK", description = "Names, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        boolean json = format == null || format.equals("json") || format.isEmpty();
        Template template = json ? Template.parse("") : Template.parse(String.valueOf(format));
        EngineOptions options = Caller.current().directories();
        Map<ContainerId, String> names = ContainerStatus.all(options).stream()
                .collect(Collectors.toMap(ContainerStatus::id, one -> one.name().orElse(""), (first, _) -> first));
        var found = new ArrayList<Map<String, Object>>();
        int status = 0;
        try (Networks networks = HostNetworks.open(options)) {
            for (String one : wanted) {
                try {
                    NetworkInfo network = networks.get(one);
                    found.add(object(network, networks.attachedTo(network.id()), names));
                } catch (CaissonException e) {
                    spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                    status = SOME_FAILED;
                }
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(
                    format == null
                            ? IndentedJson.of(found)
                            : Template.parse("{{json .}}").render(found));
        } else {
            found.forEach(one -> out.println(template.render(one)));
        }
        return status;
    }

    private static Map<String, Object> object(
            NetworkInfo network, List<Attachment> attachments, Map<ContainerId, String> names) {
        var object = new LinkedHashMap<String, Object>();
        object.put("Name", network.name());
        object.put("Id", network.id());
        object.put("Created", network.created().toString());
        object.put("Scope", "local");
        object.put("Driver", "bridge");
        object.put("EnableIPv4", true);
        object.put("EnableIPv6", network.ipv6());
        var addresses = new LinkedHashMap<String, Object>();
        addresses.put("Driver", "default");
        addresses.put("Options", Map.of());
        addresses.put(
                "Config",
                network.pools().stream().map(NetworkInspectCommand::pool).toList());
        object.put("IPAM", addresses);
        object.put("Internal", network.internal());
        object.put("Attachable", false);
        object.put("Ingress", false);
        object.put("ConfigOnly", false);
        var containers = new LinkedHashMap<String, Object>();
        attachments.forEach(one ->
                containers.put(one.container().value(), container(one, names.getOrDefault(one.container(), ""))));
        object.put("Containers", containers);
        var options = new LinkedHashMap<String, Object>();
        options.put("com.docker.network.bridge.enable_icc", String.valueOf(network.betweenContainers()));
        options.put("com.docker.network.bridge.name", network.bridge());
        options.put("com.docker.network.driver.mtu", String.valueOf(network.mtu()));
        object.put("Options", options);
        object.put("Labels", network.labels());
        return object;
    }

    private static Map<String, Object> pool(NetworkSpec.Pool pool) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("Subnet", pool.subnet().toString());
        pool.range().ifPresent(range -> fields.put("IPRange", range.toString()));
        pool.gateway().ifPresent(gateway -> fields.put("Gateway", AddressText.of(gateway)));
        return fields;
    }

    private static Map<String, Object> container(Attachment one, String name) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("Name", name);
        fields.put("MacAddress", one.mac().toString());
        fields.put("IPv4Address", address(one.ip4()));
        fields.put("IPv6Address", address(one.ip6()));
        return fields;
    }

    private static String address(Optional<Attachment.Address> address) {
        return address.map(one ->
                        AddressText.of(one.address()) + "/" + one.subnet().prefix())
                .orElse("");
    }
}
