package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;

/// The network of a container: a stack of its own, that of another container, or the host's.
public sealed interface Network {
    /// Loopback alone.
    static Network none() {
        return new None();
    }

    /// A place on one network, where all is chosen and no port is published.
    static Joined on(String network) {
        return new Joined(List.of(NetworkEndpoint.on(network)), PublishedPorts.NONE, NameLookup.STANDARD);
    }

    /// The stack of another container, which must run when this one starts.
    ///
    /// @param container its name, its id or the beginning of that
    static OfContainer ofContainer(String container) {
        return new OfContainer(container);
    }

    /// The stack of the host, which needs [Allowance#HOST_NETWORK].
    static Host ofHost() {
        return new Host(NameLookup.STANDARD);
    }

    /// The stack of the host, with its links, addresses, ports and services on loopback. The container has no right to
    /// change it.
    record Host(NameLookup names) implements Network {
        public Host {
            present(names, "names");
        }
    }

    /// The stack of another container, with its links, addresses, names and ports. This one has no right to change it.
    record OfContainer(String container) implements Network {
        private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
        private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");
        private static final int SHORT = 12;

        public OfContainer {
            if (!NAME.matcher(present(container, "container")).matches()) {
                throw ArgumentException.invalid(Quoted.of(container)
                        + " is not a container's name: write the network as container:NAME, with a name or an id");
            }
        }

        /// Returns it for people: of an id the first 12 digits.
        public String text() {
            return ID.matcher(container).matches() ? container.substring(0, SHORT) : container;
        }
    }

    /// A stack with nothing but its own loopback.
    record None() implements Network {}

    /// A stack with a link to each of some networks.
    ///
    /// @param endpoints the first that leads out has the default route; none for one that is to be connected later
    /// @param egress what it may send to outside of them
    /// @param gates secrets that are put into its requests on the way; their hosts must be on its list
    /// @param hostServices services of the host that it reaches
    /// @param bandwidth how much it may receive and send on each network
    record Joined(
            List<NetworkEndpoint> endpoints,
            PublishedPorts ports,
            NameLookup names,
            Egress egress,
            List<Gate> gates,
            HostServices hostServices,
            Bandwidth bandwidth)
            implements Network {
        private static final int MOST = 8;
        private static final int MOST_GATES = 16;

        public Joined {
            endpoints = More.copy(endpoints, "endpoints");
            present(ports, "ports");
            present(names, "names");
            present(egress, "egress");
            gates = More.copy(gates, "gates");
            present(hostServices, "hostServices");
            present(bandwidth, "bandwidth");
            requireGates(gates);
            if (endpoints.size() > MOST) {
                throw ArgumentException.invalid(
                        endpoints.size() + " networks are too many for one container: join at most " + MOST);
            }
            var seen = new HashSet<String>();
            for (NetworkEndpoint endpoint : endpoints) {
                if (!seen.add(endpoint.network())) {
                    throw ArgumentException.invalid(
                            "network " + endpoint.network() + " is named twice: name each network once");
                }
            }
        }

        private static void requireGates(List<Gate> gates) {
            if (gates.size() > MOST_GATES) {
                throw ArgumentException.invalid(
                        gates.size() + " gates are too many for one container: give at most " + MOST_GATES);
            }
            var places = new HashSet<String>();
            for (Gate gate : gates) {
                if (!places.add(gate.target() + " " + gate.place().slot())) {
                    throw ArgumentException.invalid("two secrets go to the same place of requests to " + gate.target()
                            + ", at last " + gate.secret() + ": give one, or another place");
                }
            }
        }

        /// The same without services of the host and without a bound on how much it sends.
        public Joined(
                List<NetworkEndpoint> endpoints,
                PublishedPorts ports,
                NameLookup names,
                Egress egress,
                List<Gate> gates) {
            this(endpoints, ports, names, egress, gates, HostServices.NONE, Bandwidth.ALL);
        }

        /// The same without secrets on the way.
        public Joined(List<NetworkEndpoint> endpoints, PublishedPorts ports, NameLookup names, Egress egress) {
            this(endpoints, ports, names, egress, List.of());
        }

        /// The same without a bound on what it may send to.
        public Joined(List<NetworkEndpoint> endpoints, PublishedPorts ports, NameLookup names) {
            this(endpoints, ports, names, Egress.all());
        }

        /// Joins one more network.
        public Joined and(NetworkEndpoint endpoint) {
            return endpoints(More.plus(endpoints, endpoint));
        }

        /// Replaces the places.
        public Joined endpoints(List<NetworkEndpoint> value) {
            return new Joined(value, ports, names, egress, gates, hostServices, bandwidth);
        }

        /// Replaces the services of the host that it reaches, which need [Allowance#HOST_SERVICES].
        public Joined hostServices(HostServices value) {
            return new Joined(endpoints, ports, names, egress, gates, value, bandwidth);
        }

        /// Replaces how much it may receive and send on each network.
        public Joined bandwidth(Bandwidth value) {
            return new Joined(endpoints, ports, names, egress, gates, hostServices, value);
        }

        /// Publishes one more port.
        public Joined publish(PortMapping port) {
            return ports(ports.and(port));
        }

        /// Replaces the ports.
        public Joined ports(PublishedPorts value) {
            return new Joined(endpoints, value, names, egress, gates, hostServices, bandwidth);
        }

        /// Replaces how names are looked up.
        public Joined names(NameLookup value) {
            return new Joined(endpoints, ports, value, egress, gates, hostServices, bandwidth);
        }

        /// Replaces what it may send to outside of its networks.
        public Joined egress(Egress value) {
            return new Joined(endpoints, ports, names, value, gates, hostServices, bandwidth);
        }

        /// Replaces the gates. [ContainerSpec#secret] adds one.
        public Joined gates(List<Gate> value) {
            return new Joined(endpoints, ports, names, egress, value, hostServices, bandwidth);
        }
    }
}
