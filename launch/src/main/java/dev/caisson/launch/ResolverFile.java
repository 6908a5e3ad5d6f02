package dev.caisson.launch;

import dev.caisson.spec.NameLookup;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The contents of a resolv.conf(5).
public record ResolverFile(List<InetAddress> servers, List<String> search, List<String> options) {
    /// One that names no server.
    public static final ResolverFile EMPTY = new ResolverFile(List.of(), List.of(), List.of());

    /// More of them are read by nobody.
    private static final int MOST_SERVERS = 3;

    private static final int MOST_WORDS = 16;

    public ResolverFile {
        servers = List.copyOf(servers);
        search = List.copyOf(search);
        options = List.copyOf(options);
    }

    /// Reads the file of a host. A server on loopback, or on a link that is named, cannot be reached from
    /// elsewhere, and is left out.
    public static ResolverFile parse(String text) {
        var servers = new ArrayList<InetAddress>();
        List<String> search = List.of();
        List<String> options = List.of();
        for (String line : text.lines().toList()) {
            List<String> words = List.of(line.strip().split("\\s+", -1));
            List<String> rest = words.subList(1, Math.min(words.size(), MOST_WORDS));
            switch (words.getFirst()) {
                case "nameserver" ->
                    rest.stream()
                            .limit(1)
                            .map(AddressText::parse)
                            .flatMap(Optional::stream)
                            .filter(address -> !address.isLoopbackAddress()
                                    && !address.isLinkLocalAddress()
                                    && !address.isAnyLocalAddress())
                            .forEach(servers::add);
                case "search", "domain" -> search = rest;
                case "options" -> options = rest;
                default -> {}
            }
        }
        return new ResolverFile(servers, search, options);
    }

    /// Returns the file of a container on a host with this one.
    public ResolverFile with(NameLookup wanted) {
        boolean noSearch = wanted.search().equals(List.of("."));
        return new ResolverFile(
                wanted.servers().isEmpty() ? servers : wanted.servers(),
                noSearch ? List.of() : wanted.search().isEmpty() ? search : wanted.search(),
                wanted.options().isEmpty() ? options : wanted.options());
    }

    /// Returns its lines.
    public String text() {
        var lines = new StringBuilder();
        servers.stream()
                .limit(MOST_SERVERS)
                .forEach(server -> lines.append("nameserver ")
                        .append(AddressText.of(server))
                        .append('\n'));
        if (!search.isEmpty()) {
            lines.append("search ").append(String.join(" ", search)).append('\n');
        }
        if (!options.isEmpty()) {
            lines.append("options ").append(String.join(" ", options)).append('\n');
        }
        return lines.toString();
    }
}
