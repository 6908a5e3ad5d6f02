package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Ports as Docker's options name them, one or a range of them.
public final class PortText {
    private static final Pattern PORTS = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?");
    private static final int HIGHEST = 65535;
    private static final int MOST = 1024;

    private record Range(int first, int last) {
        int size() {
            return last - first + 1;
        }
    }

    private PortText() {}

    /// Reads `[[ADDRESS:][HOSTPORT]:]PORT[/tcp|udp]`, each of the ports perhaps a range.
    public static List<PortMapping> mappings(String text) {
        int slash = present(text, "text").indexOf('/');
        Transport transport = transport(slash < 0 ? null : text.substring(slash + 1), text);
        String[] parts = parts(slash < 0 ? text : text.substring(0, slash), text);
        Range inside = range(parts[2], text);
        Range outside = parts[1].isEmpty() ? inside : range(parts[1], text);
        if (outside.size() != inside.size()) {
            throw ArgumentException.invalid(Quoted.of(text) + " has " + outside.size() + " ports of the host for "
                    + inside.size() + " of the container: give as many of each");
        }
        Optional<InetAddress> address = parts[0].isEmpty()
                ? Optional.empty()
                : Optional.of(AddressText.parse(parts[0]).orElseThrow(() -> malformed(text)));
        int chosen = parts[1].isEmpty() ? 0 : outside.first();
        return IntStream.range(0, inside.size())
                .mapToObj(i -> new PortMapping(address, chosen == 0 ? 0 : chosen + i, inside.first() + i, transport))
                .toList();
    }

    /// Returns the host's address, its ports and those of the container; empty where none is named.
    private static String[] parts(String ports, String text) {
        if (ports.startsWith("[")) {
            int end = ports.indexOf("]:");
            String[] rest = end < 0 ? new String[0] : ports.substring(end + 2).split(":", -1);
            if (rest.length != 2 || end == 1) {
                throw malformed(text);
            }
            return new String[] {ports.substring(1, end), rest[0], rest[1]};
        }
        String[] parts = ports.split(":", -1);
        return switch (parts.length) {
            case 1 -> new String[] {"", "", parts[0]};
            case 2 -> new String[] {"", parts[0], parts[1]};
            case 3 -> parts;
            default -> throw malformed(text);
        };
    }

    /// Reads `PORT[-PORT][/tcp|udp]`.
    public static List<ContainerPort> ports(String text) {
        int slash = present(text, "text").indexOf('/');
        Range range = range(slash < 0 ? text : text.substring(0, slash), text);
        Transport transport = transport(slash < 0 ? null : text.substring(slash + 1), text);
        return IntStream.rangeClosed(range.first(), range.last())
                .mapToObj(port -> new ContainerPort(port, transport))
                .toList();
    }

    private static Transport transport(@Nullable String name, String text) {
        if (name == null) {
            return Transport.TCP;
        }
        for (Transport transport : Transport.values()) {
            if (transport.text().equals(name)) {
                return transport;
            }
        }
        throw ArgumentException.invalid(
                Quoted.of(text) + " names the protocol \"" + name + "\", which has no ports here: use tcp or udp");
    }

    private static Range range(String ports, String text) {
        Matcher numbers = PORTS.matcher(ports);
        if (!numbers.matches()) {
            throw malformed(text);
        }
        int first = Integer.parseInt(numbers.group(1));
        int last = numbers.group(2) == null ? first : Integer.parseInt(numbers.group(2));
        if (first < 1 || last > HIGHEST || last < first) {
            throw ArgumentException.invalid(
                    Quoted.of(text) + " has a port that is none: use 1 to 65535, the lower first");
        }
        if (last - first >= MOST) {
            throw ArgumentException.invalid(Quoted.of(text) + " has more than " + MOST + " ports: name fewer");
        }
        return new Range(first, last);
    }

    private static ArgumentException malformed(String text) {
        return ArgumentException.invalid(
                Quoted.of(text) + " is not a port: write [[ADDRESS:][HOSTPORT]:]PORT[/tcp|udp], as 127.0.0.1:8080:80");
    }
}
