package dev.caisson.cli.view;

import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.EngineOptions;
import dev.caisson.network.Attachment;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.text.AddressText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// A network in the form of Docker's `network inspect`.
public final class NetworkObject {
    private NetworkObject() {}

    /// Returns the names of all containers, by their ids.
    public static Map<ContainerId, String> containers(EngineOptions options) {
        return ContainerStatus.all(options).stream()
                .collect(Collectors.toMap(ContainerStatus::id, one -> one.name().orElse(""), (first, _) -> first));
    }

    public static Map<String, Object> of(NetworkInfo network, Networks networks, Map<ContainerId, String> containers) {
        return of(network, networks.attachedTo(network.id()), containers);
    }

    private static Map<String, Object> of(
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
                "Config", network.pools().stream().map(NetworkObject::pool).toList());
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
