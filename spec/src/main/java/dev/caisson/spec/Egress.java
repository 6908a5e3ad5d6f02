package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// What a container may send to outside of its networks. Containers of the same networks are always in reach.
public sealed interface Egress {
    /// Everything that the networks lead to.
    static Egress all() {
        return new All();
    }

    /// Nothing.
    static Listed none() {
        return new Listed(List.of());
    }

    /// These destinations alone, as [Destination#parse] reads them.
    static Listed only(String... destinations) {
        return new Listed(Arrays.stream(present(destinations, "destinations"))
                .map(Destination::parse)
                .toList());
    }

    /// Reads `all`, `none`, or destinations with commas between them.
    static Egress parse(String text) {
        return switch (present(text, "text")) {
            case "all" -> all();
            case "none" -> none();
            default -> only(text.split(",", -1));
        };
    }

    /// Reads destinations one a line. What stands behind `#` is a comment.
    static Listed ofLines(Stream<String> lines) {
        var destinations = new ArrayList<Destination>();
        present(lines, "lines")
                .map(line -> present(line, "a line").replaceFirst("#.*", "").strip())
                .filter(line -> !line.isEmpty())
                .forEach(line -> destinations.add(Destination.parse(line)));
        return new Listed(destinations);
    }

    /// Returns the same, with port 443 of names for connections of TLS alone whose greeting has the name.
    default Egress greeted() {
        List<Destination> all = switch (this) {
            case All _ -> List.of();
            case Listed listed ->
                listed.destinations().stream().map(Listed::greeted).toList();
        };
        var greeted = new Listed(all);
        if (!greeted.greets()) {
            throw ArgumentException.invalid("no name with port " + Destination.Name.GREETED
                    + " is on the list, so no greeting can be looked at: name one, as example.com:443");
        }
        return greeted;
    }

    /// Returns it as [#parse] reads it.
    String text();

    /// True if connections are led by the names in their greetings.
    default boolean greets() {
        return switch (this) {
            case All _ -> false;
            case Listed listed -> listed.names().stream().anyMatch(Destination.Name::greeted);
        };
    }

    /// True if a name has to be looked up for it.
    default boolean hasNames() {
        return switch (this) {
            case All _ -> false;
            case Listed listed -> !listed.names().isEmpty();
        };
    }

    /// Everything that the networks lead to.
    record All() implements Egress {
        @Override
        public String text() {
            return "all";
        }
    }

    /// Some destinations; none at all for nothing.
    record Listed(List<Destination> destinations) implements Egress {
        private static final int MOST = 1024;

        public Listed {
            destinations = List.copyOf(new LinkedHashSet<>(More.copy(destinations, "destinations")));
            if (destinations.size() > MOST) {
                throw ArgumentException.invalid(destinations.size() + " destinations are too many: name at most " + MOST
                        + ", or the subnets that they are in");
            }
            requireAlone(destinations);
        }

        /// A name that is led by greetings is answered with an address of the host, which has no other port of it.
        private static void requireAlone(List<Destination> destinations) {
            List<Destination.Name> greeted = new ArrayList<>();
            List<Destination.Name> others = new ArrayList<>();
            for (Destination one : destinations) {
                if (one instanceof Destination.Name name) {
                    (name.greeted() ? greeted : others).add(name);
                }
            }
            for (Destination.Name name : greeted) {
                others.stream().filter(name::overlaps).findFirst().ifPresent(other -> {
                    throw ArgumentException.invalid(name.text() + " leads by the name in a greeting, so " + other.text()
                            + " would lead nowhere: leave one of them out");
                });
            }
        }

        private static Destination greeted(Destination one) {
            return one instanceof Destination.Name name
                            && name.port() == Destination.Name.GREETED
                            && name.transport() == Transport.TCP
                    ? new Destination.Name(name.name(), name.below(), name.port(), name.transport(), true)
                    : one;
        }

        public List<Destination.Name> names() {
            return destinations.stream()
                    .filter(Destination.Name.class::isInstance)
                    .map(Destination.Name.class::cast)
                    .toList();
        }

        public List<Destination.Addresses> addresses() {
            return destinations.stream()
                    .filter(Destination.Addresses.class::isInstance)
                    .map(Destination.Addresses.class::cast)
                    .toList();
        }

        /// True if a greeting may have a name.
        public boolean greets(String name) {
            return of(name).stream().anyMatch(Destination.Name::greeted);
        }

        /// Returns the ports that are allowed of a name.
        public List<Destination.Name> of(String name) {
            String asked = name.toLowerCase(Locale.ROOT);
            return names().stream().filter(one -> one.matches(asked)).toList();
        }

        /// True if a port of an address is allowed by the address, and not by a name that leads to it.
        public boolean allows(InetAddress address, int port, Transport transport) {
            return addresses().stream()
                    .anyMatch(one -> one.transport() == transport
                            && one.firstPort() <= port
                            && port <= one.lastPort()
                            && one.subnet().contains(address));
        }

        /// True if some port of an address is allowed by the address.
        public boolean hasAddress(InetAddress address) {
            return addresses().stream().anyMatch(one -> one.subnet().contains(address));
        }

        @Override
        public String text() {
            return destinations.isEmpty()
                    ? "none"
                    : String.join(
                            ",", destinations.stream().map(Destination::text).toList());
        }
    }
}
