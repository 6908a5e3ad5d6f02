package dev.caisson.cli.run;

import dev.caisson.engine.NetworkPlaces;
import dev.caisson.engine.PlannedRun;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.network.Attachment;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.Egress;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.PortMapping;
import dev.caisson.text.AddressText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// The networks of a planned run, for people and for programs. Its components are the fields of the JSON form.
///
/// @param container whose network it shares; empty for one of its own
/// @param host true if it is in the host's network
/// @param ports as `0.0.0.0:8080->80/tcp`, or `80/tcp at a free port`
/// @param egress as `--egress` has it
/// @param bandwidth as `--network-bandwidth` has it
/// @param hostServices ports of the host, as `5432/tcp`
/// @param servers that it asks for names; none if the image's own file says so
record PlannedNetwork(
        String container,
        boolean host,
        List<Place> places,
        List<String> ports,
        String egress,
        String bandwidth,
        List<String> hostServices,
        List<String> servers) {
    /// A place on a network.
    ///
    /// @param addresses each with the prefix that it has inside
    /// @param gateways the host's addresses there
    /// @param routed true if the default route leads out by it
    record Place(
            String network,
            String device,
            String macAddress,
            List<String> addresses,
            List<String> gateways,
            boolean internal,
            boolean routed,
            List<String> aliases,
            List<String> links) {
        private static Place of(Attachment place, boolean routed) {
            return new Place(
                    place.network(),
                    place.guestName(),
                    place.mac().toString(),
                    both(place)
                            .map(address -> AddressText.of(address.address()) + "/" + place.prefix(address))
                            .toList(),
                    both(place)
                            .map(address -> AddressText.of(address.gateway()))
                            .toList(),
                    place.internal(),
                    routed,
                    place.aliases(),
                    place.links().stream()
                            .map(link -> link.name() + ":" + link.alias())
                            .toList());
        }

        private static Stream<Attachment.Address> both(Attachment place) {
            return Stream.of(place.ip4(), place.ip6()).flatMap(Optional::stream);
        }

        private String line() {
            return String.join(" ", addresses) + " on " + device + " (" + macAddress + "), gateway "
                    + String.join(" ", gateways) + (internal ? ", internal" : routed ? ", default route" : "")
                    + (links.isEmpty() ? "" : ", links to " + String.join(" ", links));
        }
    }

    private static final InRootPath RESOLVER = InRootPath.of("etc/resolv.conf");
    private static final String SERVER = "nameserver ";

    static PlannedNetwork of(PlannedRun run) {
        NetworkPlaces network = run.network();
        Optional<Attachment> outward =
                network.places().stream().filter(place -> !place.internal()).findFirst();
        return new PlannedNetwork(
                network.of().map(ContainerId::value).orElse(""),
                network.ofHost(),
                network.places().stream()
                        .map(place -> Place.of(place, outward.equals(Optional.of(place))))
                        .toList(),
                network.ports().stream().map(PlannedNetwork::port).toList(),
                network.bounds().egress().text(),
                network.bounds().bandwidth().text(),
                network.bounds().hostPorts().stream()
                        .map(ContainerPort::toString)
                        .toList(),
                servers(run.launch()));
    }

    private static String port(PortMapping port) {
        return port.hostPort() == 0 ? port.inside() + " at a free port" : port.toString();
    }

    private static List<String> servers(LaunchPlan plan) {
        return plan.all(Step.WriteFile.class).stream()
                .filter(file -> file.path().equals(RESOLVER))
                .flatMap(file -> file.content().lines())
                .filter(line -> line.startsWith(SERVER))
                .map(line -> line.substring(SERVER.length()))
                .toList();
    }

    /// Returns a line for each thing that was asked for.
    List<String> lines() {
        var lines = new ArrayList<String>();
        if (host) {
            lines.add(line("network", "the host's, with its services on loopback, its ports and all that it reaches"));
        } else if (!container.isEmpty()) {
            lines.add(line("network", "that of container " + container.substring(0, 12)));
        } else if (places.isEmpty()) {
            lines.add(line("network", "loopback alone"));
        }
        places.forEach(place -> lines.add(line("network", place.network() + ": " + place.line())));
        if (!ports.isEmpty()) {
            lines.add(line("ports", String.join(", ", ports)));
        }
        if (!places.isEmpty()) {
            lines.add(line("egress", egress.equals(Egress.all().text()) ? egress : egress + ", and its networks"));
            lines.add(line("names", servers.isEmpty() ? "as the image says" : "asked at " + String.join(" ", servers)));
        }
        if (!bandwidth.equals(Bandwidth.ALL.text())) {
            lines.add(line("bandwidth", bandwidth + " on each"));
        }
        if (!hostServices.isEmpty()) {
            lines.add(line("host", "services at " + String.join(" ", hostServices)));
        }
        return lines;
    }

    private static String line(String subject, String text) {
        return String.format(Locale.ROOT, "   %-9s %s", subject, text);
    }
}
