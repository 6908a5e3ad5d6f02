package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.util.HashSet;
import java.util.List;

/// The network of a container. Each has a stack of its own.
public sealed interface Network {
    /// Loopback alone.
    static Network none() {
        return new None();
    }

    /// A place on one network, where all is chosen and no port is published.
    static Joined on(String network) {
        return new Joined(List.of(NetworkEndpoint.on(network)), PublishedPorts.NONE, NameLookup.STANDARD);
    }

    /// A stack with nothing but its own loopback.
    record None() implements Network {}

    /// A stack with a link to each of some networks.
    ///
    /// @param endpoints the first that leads out has the default route; none for one that is to be connected later
    /// @param egress what it may send to outside of them
    record Joined(List<NetworkEndpoint> endpoints, PublishedPorts ports, NameLookup names, Egress egress)
            implements Network {
        private static final int MOST = 8;

        public Joined {
            endpoints = More.copy(endpoints, "endpoints");
            present(ports, "ports");
            present(names, "names");
            present(egress, "egress");
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

        /// The same without a bound on what it may send to.
        public Joined(List<NetworkEndpoint> endpoints, PublishedPorts ports, NameLookup names) {
            this(endpoints, ports, names, Egress.all());
        }

        /// Joins one more network.
        public Joined and(NetworkEndpoint endpoint) {
            return new Joined(More.plus(endpoints, endpoint), ports, names, egress);
        }

        /// Publishes one more port.
        public Joined publish(PortMapping port) {
            return ports(ports.and(port));
        }

        /// Replaces the ports.
        public Joined ports(PublishedPorts value) {
            return new Joined(endpoints, value, names, egress);
        }

        /// Replaces how names are looked up.
        public Joined names(NameLookup value) {
            return new Joined(endpoints, ports, value, egress);
        }

        /// Replaces what it may send to outside of its networks.
        public Joined egress(Egress value) {
            return new Joined(endpoints, ports, names, value);
        }
    }
}
