package dev.caisson.engine;

import dev.caisson.engine.ReachCells.Guest;
import dev.caisson.network.Attachment;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.PublishedPorts;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// Containers of ours in the background, in this JVM's own network namespace.
final class OurReachBed extends ReachBed {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("reach"), OwnDirectories.data("reach"));

    private final Map<String, DetachedContainer> containers = new LinkedHashMap<>();
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Engine engine;
    private final NetworkKeeper keeper;

    /// @param filtered true for a host whose bridges show frames to packet filters of IP, as Docker has them do
    OurReachBed(boolean filtered) throws InterruptedException {
        super(ProcessHandle.current().pid());
        NetworkBed.filterBridges(filtered);
        engine = Engine.open(OPTIONS);
        keeper = NetworkKeeper.open(OPTIONS).orElseThrow();
        try (var networks = HostNetworks.open(OPTIONS)) {
            for (String name : ReachCells.NETWORKS) {
                networks.create(new NetworkSpec(
                        name,
                        List.of(),
                        name.equals(ReachCells.INSIDE),
                        true,
                        !name.equals(ReachCells.APART),
                        0,
                        Map.of()));
            }
        }
        for (Guest guest : ReachCells.GUESTS) {
            begin(guest);
        }
        for (DetachedContainer one : containers.values()) {
            NetworkKeeper.awaitPorts(one, OPTIONS);
            awaitReady(one);
        }
    }

    private void begin(Guest guest) throws InterruptedException {
        ContainerSpec spec =
                ContainerSpec.onHost(program(guest)).name(guest.name()).pids(512);
        spec = guest.inHostNetwork()
                ? spec.network(Network.ofHost()).allow(Allowance.HOST_NETWORK)
                : spec.network(network(guest));
        DetachedContainer made = engine.create(spec, DetachedOptions.STANDARD);
        containers.put(guest.name(), made);
        made.start();
        try (var networks = HostNetworks.open(OPTIONS)) {
            for (Attachment one : networks.attachments(made.id())) {
                Attachment.Address four = one.ip4().orElseThrow();
                Attachment.Address six = one.ip6().orElseThrow();
                places.put(
                        guest.name() + "@" + one.network(),
                        new Place(
                                AddressText.of(four.address()),
                                AddressText.of(six.address()),
                                AddressText.of(four.gateway()),
                                AddressText.of(six.gateway())));
            }
        }
    }

    private static Network network(Guest guest) {
        int port = Integer.parseInt(guest.port());
        List<PortMapping> mappings = guest.published().stream()
                .flatMap(host -> Stream.of(Transport.TCP, Transport.UDP)
                        .map(way -> new PortMapping(Optional.empty(), Integer.parseInt(host), port, way)))
                .toList();
        List<ContainerPort> exposed = Stream.of(Transport.TCP, Transport.UDP)
                .map(way -> new ContainerPort(port, way))
                .toList();
        List<NetworkEndpoint> endpoints = guest.networks().stream()
                .map(name -> guest.linked()
                        .map(other -> NetworkEndpoint.on(name).link(ContainerLink.parse(other)))
                        .orElseGet(() -> NetworkEndpoint.on(name)))
                .toList();
        return Network.on(ReachCells.OPEN).endpoints(endpoints).ports(new PublishedPorts(mappings, exposed, false));
    }

    private static void awaitReady(DetachedContainer container) throws InterruptedException {
        for (int i = 0; i < 1000; i++) {
            try (var log = container.log(OptionalLong.empty())) {
                if (log.next().stream()
                        .anyMatch(entry -> entry.text().toString().contains("ready"))) {
                    return;
                }
            }
            Thread.sleep(20);
        }
        throw new IllegalStateException(container.name() + " does not serve");
    }

    @Override
    String inside(String guest, String... command) {
        try {
            ExecResult result = engine.exec(guest, Exec.of(command), Streams.capture());
            if (!result.isOk()) {
                throw new IllegalStateException(guest + ": " + result.stderr());
            }
            return result.stdout();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    Map<String, Place> places() {
        return places;
    }

    @Override
    public void close() {
        try {
            for (DetachedContainer one : containers.values()) {
                one.remove(true);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        keeper.close();
        engine.close();
        NetworkBed.filterBridges(true);
        try (var networks = HostNetworks.open(OPTIONS)) {
            networks.recover(_ -> false);
            networks.list().forEach(network -> networks.remove(network.name()));
        }
        super.close();
    }
}
