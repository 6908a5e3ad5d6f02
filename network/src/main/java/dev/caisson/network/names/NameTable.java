package dev.caisson.network.names;

import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

/// The names that one container sees at one moment.
///
/// @param addresses by name, in lower case without a last dot: every container that has the name, in both families
/// @param names by address, for questions in reverse
/// @param subnets of its networks: an address of them that has no name is asked of nobody else
/// @param leadsOut true if other names are asked of other servers; false for one that has internal networks alone
public record NameTable(
        Map<String, List<InetAddress>> addresses,
        Map<InetAddress, String> names,
        List<Subnet> subnets,
        boolean leadsOut,
        Optional<Greeted> greeted) {
    /// Names that are answered with an address of the host, which leads on by the greetings of TLS.
    public record Greeted(Predicate<String> names, InetAddress host) {}

    /// Records of an answer, perhaps none.
    ///
    /// @param code response code
    record Found(int code, List<byte[]> records) {}

    private static final int LONGEST_NAME = 253;
    private static final int LONGEST_LABEL = 63;
    private static final String REVERSE_4 = ".in-addr.arpa";
    private static final String REVERSE_6 = ".ip6.arpa";
    private static final String LOCALHOST = "localhost";
    private static final byte[] LOOPBACK_4 = {127, 0, 0, 1};
    private static final byte[] LOOPBACK_6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    private static final Found NO_DATA = new Found(Wire.NO_ERROR, List.of());
    private static final Found NO_NAME = new Found(Wire.NAME_ERROR, List.of());

    public NameTable {
        addresses = Map.copyOf(addresses);
        names = Map.copyOf(names);
        subnets = List.copyOf(subnets);
    }

    public NameTable(
            Map<String, List<InetAddress>> addresses,
            Map<InetAddress, String> names,
            List<Subnet> subnets,
            boolean leadsOut) {
        this(addresses, names, subnets, leadsOut, Optional.empty());
    }

    /// A table that knows nobody and asks others.
    public static NameTable empty() {
        return new NameTable(Map.of(), Map.of(), List.of(), true);
    }

    /// True if somebody can ask for the name: its labels have 1 to 63 bytes, and it has at most 253.
    public static boolean isName(String name) {
        if (name.length() > LONGEST_NAME) {
            return false;
        }
        int start = 0;
        for (int i = 0; i <= name.length(); i++) {
            if (i == name.length() || name.charAt(i) == '.') {
                if (i == start || i - start > LONGEST_LABEL) {
                    return false;
                }
                start = i + 1;
            }
        }
        return true;
    }

    /// Returns the answer; empty if the name is none of ours.
    Optional<Found> find(Query query) {
        if (query.name().isEmpty()) {
            return Optional.empty();
        }
        String name = query.name().get();
        if (name.equals(LOCALHOST) || name.endsWith("." + LOCALHOST)) { // RFC 6761 section 6.3
            return Optional.of(
                    switch (query.type()) {
                        case Wire.TYPE_A -> new Found(Wire.NO_ERROR, List.of(LOOPBACK_4));
                        case Wire.TYPE_AAAA -> new Found(Wire.NO_ERROR, List.of(LOOPBACK_6));
                        default -> NO_DATA;
                    });
        }
        List<InetAddress> found = addresses.get(name);
        if (found != null) {
            return Optional.of(ofFamily(found, query.type()));
        }
        if (greeted.filter(led -> led.names().test(name)).isPresent()) {
            return Optional.of(ofFamily(List.of(greeted.get().host()), query.type()));
        }
        return reversed(name).flatMap(address -> ofAddress(address, query.type()));
    }

    /// A name that has no address of the family exists all the same: a client that was told otherwise would not ask for
    /// the other.
    private static Found ofFamily(List<InetAddress> found, int type) {
        int length = type == Wire.TYPE_A ? 4 : type == Wire.TYPE_AAAA ? 16 : 0;
        var records = new ArrayList<byte[]>();
        for (InetAddress address : found) {
            byte[] bytes = address.getAddress();
            if (bytes.length == length) {
                records.add(bytes);
            }
        }
        if (records.size() > 1) {
            Collections.rotate(records, ThreadLocalRandom.current().nextInt(records.size()));
        }
        return new Found(Wire.NO_ERROR, records);
    }

    private Optional<Found> ofAddress(InetAddress address, int type) {
        String name = names.get(address);
        if (name != null) {
            return Optional.of(type == Wire.TYPE_PTR ? new Found(Wire.NO_ERROR, List.of(Wire.labels(name))) : NO_DATA);
        }
        return subnets.stream().anyMatch(subnet -> subnet.contains(address)) ? Optional.of(NO_NAME) : Optional.empty();
    }

    private static Optional<InetAddress> reversed(String name) {
        boolean six = name.endsWith(REVERSE_6);
        if (!six && !name.endsWith(REVERSE_4)) {
            return Optional.empty();
        }
        String[] parts = name.substring(0, name.length() - (six ? REVERSE_6 : REVERSE_4).length())
                .split("\\.", -1);
        var bytes = new byte[six ? 16 : 4];
        if (parts.length != (six ? 32 : 4)) {
            return Optional.empty();
        }
        try {
            for (int i = 0; i < parts.length; i++) {
                int part = Integer.parseInt(parts[parts.length - 1 - i], six ? 16 : 10);
                if (part < 0 || part > (six ? 15 : 255) || parts[parts.length - 1 - i].length() > (six ? 1 : 3)) {
                    return Optional.empty();
                }
                if (six) {
                    bytes[i / 2] = (byte) (bytes[i / 2] << 4 | part);
                } else {
                    bytes[i] = (byte) part;
                }
            }
            return Optional.of(InetAddress.getByAddress(bytes));
        } catch (NumberFormatException | java.net.UnknownHostException e) {
            return Optional.empty();
        }
    }
}
