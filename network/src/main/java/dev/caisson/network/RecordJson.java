package dev.caisson.network;

import dev.caisson.error.ArgumentException;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.Egress;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.PortText;
import dev.caisson.spec.Subnet;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The JSON of records. Reading throws [IllegalArgumentException] or [ClassCastException] for what was not written
/// here.
final class RecordJson {
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();

    private RecordJson() {}

    static String text(Map<String, Object> fields) {
        return JSON.toJson(fields);
    }

    static Map<String, Object> fields(NetworkInfo network) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("id", network.id());
        fields.put("name", network.name());
        fields.put("createdMillis", network.created().toEpochMilli());
        fields.put("pools", network.pools().stream().map(RecordJson::fields).toList());
        fields.put("internal", network.internal());
        fields.put("ipv6", network.ipv6());
        fields.put("betweenContainers", network.betweenContainers());
        fields.put("mtu", network.mtu());
        fields.put("labels", network.labels());
        return fields;
    }

    private static Map<String, Object> fields(NetworkSpec.Pool pool) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("subnet", pool.subnet().toString());
        pool.range().ifPresent(range -> fields.put("range", range.toString()));
        pool.gateway().ifPresent(gateway -> fields.put("gateway", AddressText.of(gateway)));
        return fields;
    }

    static NetworkInfo network(Map<?, ?> fields) {
        var labels = new LinkedHashMap<String, String>();
        ((Map<?, ?>) need(fields, "labels")).forEach((key, value) -> labels.put((String) key, (String) value));
        return new NetworkInfo(
                string(fields, "id"),
                string(fields, "name"),
                Instant.ofEpochMilli(number(fields, "createdMillis")),
                maps(fields, "pools").stream().map(RecordJson::pool).toList(),
                flag(fields, "internal"),
                flag(fields, "ipv6"),
                flag(fields, "betweenContainers"),
                (int) number(fields, "mtu"),
                labels);
    }

    private static NetworkSpec.Pool pool(Map<?, ?> fields) {
        return new NetworkSpec.Pool(
                Subnet.parse(string(fields, "subnet")),
                optional(fields, "range").map(Subnet::parse),
                optional(fields, "gateway").map(RecordJson::address));
    }

    static Map<String, Object> fields(ContainerNetworks container) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("container", container.container().value());
        fields.put(
                "attachments",
                container.attachments().stream().map(RecordJson::fields).toList());
        fields.put("ports", container.ports().stream().map(RecordJson::fields).toList());
        fields.put("egress", container.egress().text());
        if (!container.gates().isEmpty()) {
            fields.put(
                    "gates", container.gates().stream().map(RecordJson::fields).toList());
        }
        container.changing().ifPresent(network -> fields.put("changing", network));
        fields.put(
                "exposed",
                container.exposed().all().stream().map(ContainerPort::toString).toList());
        container
                .exposed()
                .undeclared()
                .ifPresent(ports -> fields.put(
                        "undeclared",
                        ports.stream().map(ContainerPort::toString).toList()));
        if (container.vacant()) {
            fields.put("vacant", true);
        }
        if (!container.bandwidth().equals(Bandwidth.ALL)) {
            fields.put("bandwidth", container.bandwidth().text());
        }
        if (!container.hostPorts().isEmpty()) {
            fields.put(
                    "hostPorts",
                    container.hostPorts().stream().map(ContainerPort::toString).toList());
        }
        return fields;
    }

    private static Map<String, Object> fields(Attachment one) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("network", one.networkId());
        fields.put("number", one.guestIndex() - Places.FIRST_INDEX);
        fields.put("mac", one.mac().toString());
        one.ip4().ifPresent(ip -> fields.put("ip4", AddressText.of(ip.address())));
        one.ip6().ifPresent(ip -> fields.put("ip6", AddressText.of(ip.address())));
        fields.put("aliases", one.aliases());
        fields.put("links", one.links().stream().map(RecordJson::fields).toList());
        return fields;
    }

    private static Map<String, Object> fields(Attachment.Linked one) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("container", one.container().value());
        fields.put("name", one.name());
        fields.put("alias", one.alias());
        one.ip4().ifPresent(ip -> fields.put("ip4", AddressText.of(ip)));
        one.ip6().ifPresent(ip -> fields.put("ip6", AddressText.of(ip)));
        fields.put(
                "exposed", one.exposed().stream().map(ContainerPort::toString).toList());
        return fields;
    }

    private static Map<String, Object> fields(GateLead gate) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("host", gate.host());
        fields.put("port", gate.port());
        fields.put("gatePort", gate.gatePort());
        return fields;
    }

    private static Map<String, Object> fields(PortMapping port) {
        var fields = new LinkedHashMap<String, Object>();
        port.address().ifPresent(address -> fields.put("address", AddressText.of(address)));
        fields.put("hostPort", port.hostPort());
        fields.put("containerPort", port.containerPort());
        fields.put("transport", port.transport().text());
        return fields;
    }

    /// @param networks by their ids
    static ContainerNetworks container(Map<?, ?> fields, Map<String, NetworkInfo> networks) {
        var id = new ContainerId(string(fields, "container"));
        var attachments = new ArrayList<Attachment>();
        for (Map<?, ?> one : maps(fields, "attachments")) {
            NetworkInfo network = networks.get(string(one, "network"));
            if (network == null) {
                throw new IllegalArgumentException("a network that is not recorded");
            }
            attachments.add(Places.attachment(
                    id,
                    network,
                    (int) number(one, "number"),
                    MacAddress.parse(string(one, "mac")),
                    optional(one, "ip4").map(RecordJson::address),
                    optional(one, "ip6").map(RecordJson::address),
                    ((List<?>) need(one, "aliases"))
                            .stream().map(String.class::cast).toList(),
                    links(one)));
        }
        return new ContainerNetworks(
                id,
                attachments,
                maps(fields, "ports").stream().map(RecordJson::port).toList(),
                egress(fields),
                gates(fields),
                optional(fields, "changing"),
                new ExposedPorts(
                        ports(fields, "exposed"),
                        Optional.ofNullable(fields.get("undeclared")).map(_ -> ports(fields, "undeclared"))),
                ports(fields, "hostPorts"),
                bandwidth(fields),
                Boolean.TRUE.equals(fields.get("vacant")));
    }

    private static List<Attachment.Linked> links(Map<?, ?> fields) {
        return ifThere(fields, "links").stream()
                .map(one -> (Map<?, ?>) one)
                .map(one -> new Attachment.Linked(
                        new ContainerId(string(one, "container")),
                        string(one, "name"),
                        string(one, "alias"),
                        optional(one, "ip4").map(RecordJson::address),
                        optional(one, "ip6").map(RecordJson::address),
                        ports(one, "exposed")))
                .toList();
    }

    private static List<ContainerPort> ports(Map<?, ?> fields, String name) {
        return ifThere(fields, name).stream()
                .flatMap(one -> PortText.ports((String) one).stream())
                .toList();
    }

    /// Returns a list; empty if an earlier version wrote the record, which had none.
    private static List<?> ifThere(Map<?, ?> fields, String name) {
        return fields.get(name) instanceof List<?> found ? found : List.of();
    }

    private static List<GateLead> gates(Map<?, ?> fields) {
        return fields.get("gates") == null
                ? List.of()
                : maps(fields, "gates").stream()
                        .map(one -> new GateLead(
                                string(one, "host"), (int) number(one, "port"), (int) number(one, "gatePort")))
                        .toList();
    }

    /// One that an earlier version wrote has no bound.
    static Egress egress(Map<?, ?> fields) {
        try {
            return optional(fields, "egress").map(Egress::parse).orElseGet(Egress::all);
        } catch (ArgumentException e) {
            throw new IllegalArgumentException("not what a container may reach", e);
        }
    }

    private static Bandwidth bandwidth(Map<?, ?> fields) {
        try {
            return optional(fields, "bandwidth").map(Bandwidth::parse).orElse(Bandwidth.ALL);
        } catch (ArgumentException e) {
            throw new IllegalArgumentException("not a bandwidth", e);
        }
    }

    private static PortMapping port(Map<?, ?> fields) {
        return new PortMapping(
                optional(fields, "address").map(RecordJson::address),
                (int) number(fields, "hostPort"),
                (int) number(fields, "containerPort"),
                string(fields, "transport").equals(Transport.UDP.text()) ? Transport.UDP : Transport.TCP);
    }

    static Map<String, Object> fields(Forwarding.Changed changed) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("boot", changed.boot());
        fields.put("four", changed.four());
        fields.put("six", changed.six());
        fields.put("routerAdvertisements", changed.routerAdvertisements());
        fields.put("bridges", changed.bridges());
        return fields;
    }

    static Forwarding.Changed forwarding(Map<?, ?> fields) {
        return new Forwarding.Changed(
                string(fields, "boot"),
                flag(fields, "four"),
                flag(fields, "six"),
                ((List<?>) need(fields, "routerAdvertisements"))
                        .stream().map(String.class::cast).toList(),
                ifThere(fields, "bridges").stream().map(String.class::cast).toList());
    }

    private static InetAddress address(String text) {
        return AddressText.parse(text).orElseThrow(() -> new IllegalArgumentException("not an address: " + text));
    }

    private static List<Map<?, ?>> maps(Map<?, ?> fields, String name) {
        var found = new ArrayList<Map<?, ?>>();
        ((List<?>) need(fields, name)).forEach(one -> found.add((Map<?, ?>) one));
        return found;
    }

    private static Optional<String> optional(Map<?, ?> fields, String name) {
        return Optional.ofNullable((String) fields.get(name));
    }

    private static String string(Map<?, ?> fields, String name) {
        return (String) need(fields, name);
    }

    private static long number(Map<?, ?> fields, String name) {
        return ((Number) need(fields, name)).longValue();
    }

    private static boolean flag(Map<?, ?> fields, String name) {
        return (Boolean) need(fields, name);
    }

    private static Object need(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no field " + name);
        }
        return value;
    }

    /// The error for a record that cannot be read.
    static NetworkException unreadable(String file, Throwable cause) {
        return new NetworkException(
                Code.NETWORKS_UNUSABLE,
                "the record of a network " + file + " cannot be read: remove the file if the network is not needed",
                cause);
    }
}
