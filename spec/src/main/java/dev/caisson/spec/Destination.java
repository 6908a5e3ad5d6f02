package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
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
    record Name(String name, boolean below, int port, Transport transport) implements Destination {
        private static final Pattern NAME = Pattern.compile("(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\\.)*"
                + "(?![0-9]+$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?");

        public Name {
            if (!NAME.matcher(present(name, "name")).matches()) {
                throw ArgumentException.invalid("\"" + name + "\" is not a name to reach: use letters, digits, hyphens"
                        + " and dots, and for other letters the form that begins with xn--");
            }
            DestinationText.requirePorts(port, port);
            present(transport, "transport");
        }

        /// True if this allows to ask for a name.
        ///
        /// @param asked in lower case, without a last dot
        public boolean matches(String asked) {
            return below ? asked.endsWith("." + name) : asked.equals(name);
        }

        @Override
        public String text() {
            return (below ? "*." : "") + name + ":" + port + DestinationText.suffix(transport);
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
    /// ports of addresses, and `/udp` behind it for UDP.
    static Destination parse(String text) {
        return DestinationText.parse(present(text, "text"));
    }
}
