package dev.caisson.spec;

import static dev.caisson.spec.JsonForm.alone;
import static dev.caisson.spec.JsonForm.field;
import static dev.caisson.spec.JsonForm.kind;
import static dev.caisson.spec.JsonForm.ofKind;
import static dev.caisson.spec.JsonValues.constant;
import static dev.caisson.spec.JsonValues.list;
import static dev.caisson.spec.JsonValues.small;
import static dev.caisson.spec.JsonValues.text;
import static dev.caisson.spec.JsonValues.texts;
import static dev.caisson.spec.JsonValues.truth;

import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The network of a written specification.
final class NetworkJson {
    private static final InetAddress NO_ADDRESS = InetAddress.getLoopbackAddress();

    static final JsonForm<ContainerLink> LINK = new JsonForm<>(
            "a link",
            field("container", it -> text(it.container()), (it, json) -> new ContainerLink(text(json), it.alias())),
            field("alias", it -> text(it.alias()), (it, json) -> new ContainerLink(it.container(), text(json))));

    static final JsonForm<NetworkEndpoint> ENDPOINT = new JsonForm<>(
            "a place on a network",
            field("network", it -> text(it.network()), (it, json) -> it.network(text(json))),
            field("ip4", it -> it.ip4().map(AddressText::of).orElse(null), (it, json) -> it.ip(text(json))),
            field("ip6", it -> it.ip6().map(AddressText::of).orElse(null), (it, json) -> it.ip6(text(json))),
            field(
                    "mac",
                    it -> it.mac().map(MacAddress::toString).orElse(null),
                    (it, json) -> it.mac(MacAddress.parse(text(json)))),
            field(
                    "aliases",
                    it -> texts(it.aliases()),
                    (it, json) -> new NetworkEndpoint(
                            it.network(), it.ip4(), it.ip6(), it.mac(), askable(texts(json)), it.links())),
            field(
                    "links",
                    it -> it.links().stream().map(NetworkJson.LINK::write).toList(),
                    (it, json) -> new NetworkEndpoint(
                            it.network(), it.ip4(), it.ip6(), it.mac(), it.aliases(), list(json, NetworkJson::link))));

    static final JsonForm<PortMapping> MAPPING = new JsonForm<>(
            "a published port",
            field(
                    "address",
                    it -> it.address().map(AddressText::of).orElse(null),
                    (it, json) -> new PortMapping(
                            Optional.of(address(json)), it.hostPort(), it.containerPort(), it.transport())),
            field("hostPort", PortMapping::hostPort, (it, json) -> it.withHostPort(small(json))),
            field(
                    "containerPort",
                    PortMapping::containerPort,
                    (it, json) -> new PortMapping(it.address(), it.hostPort(), small(json), it.transport())),
            field(
                    "transport",
                    it -> it.transport().name(),
                    (it, json) -> new PortMapping(
                            it.address(), it.hostPort(), it.containerPort(), constant(Transport.class, json))));

    static final JsonForm<ContainerPort> PORT = new JsonForm<>(
            "an exposed port",
            field("number", ContainerPort::number, (it, json) -> new ContainerPort(small(json), it.transport())),
            field(
                    "transport",
                    it -> it.transport().name(),
                    (it, json) -> new ContainerPort(it.number(), constant(Transport.class, json))));

    static final JsonForm<PublishedPorts> PORTS = new JsonForm<>(
            "the ports",
            field(
                    "mappings",
                    it -> it.mappings().stream().map(MAPPING::write).toList(),
                    (it, json) -> new PublishedPorts(list(json, NetworkJson::mapping), it.exposed(), it.all())),
            field(
                    "exposed",
                    it -> it.exposed().stream().map(PORT::write).toList(),
                    (it, json) -> new PublishedPorts(it.mappings(), list(json, NetworkJson::port), it.all())),
            field(
                    "all",
                    PublishedPorts::all,
                    (it, json) -> new PublishedPorts(it.mappings(), it.exposed(), truth(json))));

    static final JsonForm<ExtraHost> HOST = new JsonForm<>(
            "a further host",
            field("name", it -> text(it.name()), (it, json) -> new ExtraHost(text(json), it.address())),
            field(
                    "address",
                    it -> AddressText.of(it.address()),
                    (it, json) -> new ExtraHost(it.name(), address(json))));

    static final JsonForm<NameLookup> NAMES = new JsonForm<>(
            "the lookup of names",
            field(
                    "servers",
                    it -> it.servers().stream().map(AddressText::of).toList(),
                    (it, json) ->
                            new NameLookup(list(json, NetworkJson::address), it.search(), it.options(), it.hosts())),
            field(
                    "search",
                    it -> texts(it.search()),
                    (it, json) -> new NameLookup(it.servers(), askable(texts(json)), it.options(), it.hosts())),
            field(
                    "options",
                    it -> texts(it.options()),
                    (it, json) -> new NameLookup(it.servers(), it.search(), texts(json), it.hosts())),
            field(
                    "hosts",
                    it -> it.hosts().stream().map(HOST::write).toList(),
                    (it, json) ->
                            new NameLookup(it.servers(), it.search(), it.options(), list(json, NetworkJson::host))));

    static final JsonForm<HostServices> HOST_SERVICES = new JsonForm<>(
            "the services of the host",
            field(
                    "ports",
                    it -> it.ports().stream().map(PORT::write).toList(),
                    (it, json) -> new HostServices(list(json, NetworkJson::port), it.names())),
            field("names", it -> texts(it.names()), (it, json) -> new HostServices(it.ports(), texts(json))));

    static final JsonForm<Network.Joined> JOINED = new JsonForm<>(
            "the network",
            field(
                    "endpoints",
                    it -> it.endpoints().stream().map(ENDPOINT::write).toList(),
                    (it, json) -> it.endpoints(list(json, NetworkJson::endpoint))),
            field(
                    "ports",
                    it -> PORTS.write(it.ports()),
                    (it, json) -> it.ports(PORTS.read(PublishedPorts.NONE, json))),
            field(
                    "names",
                    it -> NAMES.write(it.names()),
                    (it, json) -> it.names(NAMES.read(NameLookup.STANDARD, json))),
            field("egress", it -> it.egress().text(), (it, json) -> it.egress(Egress.parse(text(json)))),
            field(
                    "gates",
                    it -> it.gates().stream().map(Gate::text).toList(),
                    (it, json) -> it.gates(list(json, one -> Gate.parse(text(one))))),
            field(
                    "hostServices",
                    it -> HOST_SERVICES.write(it.hostServices()),
                    (it, json) -> it.hostServices(HOST_SERVICES.read(HostServices.NONE, json))),
            field("bandwidth", it -> it.bandwidth().text(), (it, json) -> it.bandwidth(Bandwidth.parse(text(json)))));

    static final JsonForm<Network.OfContainer> OF_CONTAINER = new JsonForm<>(
            "the network of a container",
            field("container", it -> text(it.container()), (_, json) -> Network.ofContainer(text(json))));

    static final JsonForm<Network.Host> OF_HOST = new JsonForm<>(
            "the host's network",
            field(
                    "names",
                    it -> NAMES.write(it.names()),
                    (_, json) -> new Network.Host(NAMES.read(NameLookup.STANDARD, json))));

    private NetworkJson() {}

    static Object write(Network network) {
        return switch (network) {
            case Network.None _ -> kind("none");
            case Network.OfContainer it -> kind("container", OF_CONTAINER.write(it));
            case Network.Host it -> kind("host", OF_HOST.write(it));
            case Network.Joined it -> kind("joined", JOINED.write(it));
        };
    }

    static Network network(Object json) {
        return ofKind(
                "the network",
                json,
                Map.of(
                        "none",
                        alone("the network", Network.none()),
                        "container",
                        NetworkJson::ofContainer,
                        "host",
                        fields -> OF_HOST.read(new Network.Host(NameLookup.STANDARD), fields),
                        "joined",
                        NetworkJson::joined));
    }

    private static Network ofContainer(Map<String, Object> json) {
        if (json.get("container") == null) {
            throw new SpecException("SPEC_UNREADABLE", "the network names no container that it is of");
        }
        return OF_CONTAINER.read(Network.ofContainer("a"), json);
    }

    private static Network joined(Map<String, Object> json) {
        if (json.get("endpoints") == null) {
            throw new SpecException("SPEC_UNREADABLE", "the network names none that it joins");
        }
        return JOINED.read(Network.on(""), json);
    }

    /// Earlier versions took names that no question can carry: nobody was ever found by them.
    private static List<String> askable(List<String> names) {
        return names.stream()
                .filter(name -> !HostNames.isName(name) || HostNames.canBeAskedFor(name))
                .toList();
    }

    private static NetworkEndpoint endpoint(Object json) {
        return ENDPOINT.read(NetworkEndpoint.on(""), json);
    }

    private static ContainerLink link(Object json) {
        return LINK.read(new ContainerLink("a", "a"), json);
    }

    private static PortMapping mapping(Object json) {
        return MAPPING.read(new PortMapping(Optional.empty(), 0, 1, Transport.TCP), json);
    }

    private static ContainerPort port(Object json) {
        return PORT.read(new ContainerPort(1, Transport.TCP), json);
    }

    private static ExtraHost host(Object json) {
        return HOST.read(new ExtraHost("a", NO_ADDRESS), json);
    }

    private static InetAddress address(Object json) {
        String text = text(json);
        return AddressText.parse(text)
                .orElseThrow(() -> new IllegalArgumentException(Quoted.of(text) + " is not an IP address"));
    }
}
