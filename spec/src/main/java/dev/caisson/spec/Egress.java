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
        return new Listed(Arrays.stream(destinations).map(Destination::parse).toList());
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
        lines.map(line -> line.replaceFirst("#.*", "").strip())
                .filter(line -> !line.isEmpty())
                .forEach(line -> destinations.add(Destination.parse(line)));
        return new Listed(destinations);
    }

    /// Returns it as [#parse] reads it.
    String text();

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
