package dev.caisson.spec;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Destinations as options and files name them.
final class DestinationText {
    static final int HIGHEST = 65535;
    static final String GREETED = "/sni";

    private static final Pattern TEXT = Pattern.compile("(?:\\[(?<six>[^\\[\\]]+)\\]|(?<host>[^\\[\\]:,\\s]+))"
            + ":(?:\\*|(?<first>\\d{1,5})(?:-(?<last>\\d{1,5}))?)(?:/(?<transport>tcp|udp|sni))?");

    private DestinationText() {}

    static Destination parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw malformed(text);
        }
        Transport transport = "udp".equals(parts.group("transport")) ? Transport.UDP : Transport.TCP;
        String first = parts.group("first");
        String last = parts.group("last");
        int from = first == null ? 1 : Integer.parseInt(first);
        int to = first == null ? HIGHEST : last == null ? from : Integer.parseInt(last);
        boolean bracketed = parts.group("six") != null;
        String host = bracketed ? parts.group("six") : parts.group("host");
        Optional<Subnet> subnet = subnet(host);
        if (bracketed != subnet.map(Subnet::isIpv6).orElse(false)) {
            throw malformed(text);
        }
        boolean greeted = "sni".equals(parts.group("transport"));
        if (subnet.isEmpty()) {
            return name(text, host, from, to, transport, greeted);
        }
        if (greeted) {
            throw ArgumentException.invalid(
                    Quoted.of(text) + " has no name that a greeting of TLS could have: leave " + GREETED + " out");
        }
        return new Destination.Addresses(subnet.get(), from, to, transport);
    }

    private static Destination name(String text, String host, int from, int to, Transport transport, boolean greeted) {
        if (from != to) {
            throw ArgumentException.invalid(
                    Quoted.of(text) + " has several ports, which only addresses may have: write " + host
                            + ":443, and each further port of the name again");
        }
        boolean below = host.startsWith("*.");
        String name = (below ? host.substring(2) : host).toLowerCase(Locale.ROOT);
        String plain = name.endsWith(".") ? name.substring(0, name.length() - 1) : name; // both are the whole name
        return new Destination.Name(plain, below, from, transport, greeted);
    }

    /// Returns the addresses that a text names; empty if it is no address.
    private static Optional<Subnet> subnet(String host) {
        return host.indexOf('/') >= 0
                ? Optional.of(Subnet.parse(host))
                : AddressText.parse(host).map(one -> new Subnet(one, one.getAddress().length * 8));
    }

    static void requirePorts(int first, int last) {
        if (first < 1 || last > HIGHEST || last < first) {
            throw ArgumentException.invalid(
                    (first == last ? first + " is not a port" : first + "-" + last + " are not ports")
                            + ": use 1 to 65535, the lower first");
        }
    }

    static String suffix(Transport transport) {
        return transport == Transport.UDP ? "/udp" : "";
    }

    private static ArgumentException malformed(String text) {
        return ArgumentException.invalid(Quoted.of(text)
                + " is not a destination: write NAME:PORT, ADDRESS:PORT or SUBNET:PORT, with /udp behind it for UDP,"
                + " as example.com:443, 10.1.0.0/16:5432 or [2001:db8::7]:53/udp");
    }
}
