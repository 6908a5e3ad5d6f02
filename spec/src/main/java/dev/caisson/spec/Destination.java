package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.util.regex.Pattern;

/// Ports outside of its networks that a container may send to.
public sealed interface Destination {
    /// The protocol.
    Transport transport();

    /// Returns it as [#parse] reads it.
    String text();

    /// One port of the hosts that a name leads to.
    ///
    /// @param name in lower case, without a last dot
    /// @param below true for every name below it in place of itself, `*.example.com`
    /// @param greeted true if only connections of TLS go there whose greeting has the name, `example.com:443/sni`
    record Name(String name, boolean below, int port, Transport transport, boolean greeted) implements Destination {
        /// The port of TLS that is led by the name in a greeting.
        public static final int GREETED = 443;

        private static final Pattern NAME = Pattern.compile("(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\\.)*"
                + "(?![0-9]+$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?");

        public Name {
            if (!NAME.matcher(present(name, "name")).matches()) {
                throw ArgumentException.invalid(
                        Quoted.of(name) + " is not a name to reach: use letters, digits, hyphens"
                                + " and dots, and for other letters the form that begins with xn--");
            }
            DestinationText.requirePorts(port, port);
            present(transport, "transport");
            if (greeted && (port != GREETED || transport != Transport.TCP)) {
                throw ArgumentException.invalid(
                        name + ":" + port + " cannot be reached by the name in a greeting of TLS: write " + name + ":"
                                + GREETED + "/sni");
            }
        }

        /// The same without a look at greetings.
        public Name(String name, boolean below, int port, Transport transport) {
            this(name, below, port, transport, false);
        }

        /// True if a name of this is also one of the other.
        boolean overlaps(Name other) {
            return (name.equals(other.name) && below == other.below)
                    || (below && other.name.endsWith("." + name))
                    || (other.below && name.endsWith("." + other.name));
        }

        /// True if this allows to ask for a name.
        ///
        /// @param asked in lower case, without a last dot
        public boolean matches(String asked) {
            return below ? asked.endsWith("." + name) : asked.equals(name);
        }

        @Override
        public String text() {
            return (below ? "*." : "") + name + ":" + port
                    + (greeted ? DestinationText.GREETED : DestinationText.suffix(transport));
        }
    }

    /// Ports of some addresses.
    record Addresses(Subnet subnet, int firstPort, int lastPort, Transport transport) implements Destination {
        public Addresses {
            present(subnet, "subnet");
            DestinationText.requirePorts(firstPort, lastPort);
            present(transport, "transport");
        }

        /// True if it has exactly one address.
        public boolean isSingle() {
            return subnet.prefix() == subnet.base().getAddress().length * 8;
        }

        @Override
        public String text() {
            String addresses = isSingle() ? AddressText.of(subnet.base()) : subnet.toString();
            String ports = firstPort == 1 && lastPort == DestinationText.HIGHEST
                    ? "*"
                    : firstPort + (lastPort == firstPort ? "" : "-" + lastPort);
            return (subnet.isIpv6() ? "[" + addresses + "]" : addresses) + ":" + ports
                    + DestinationText.suffix(transport);
        }
    }

    /// Reads `NAME:PORT`, `*.NAME:PORT`, `ADDRESS:PORT`, `SUBNET:PORT`, with `[…]` around IPv6, a range or `*` for the
    /// ports of addresses, `/udp` behind it for UDP, and `/sni` for TLS that greets
    /// the name.
    static Destination parse(String text) {
        return DestinationText.parse(present(text, "text"));
    }
}
