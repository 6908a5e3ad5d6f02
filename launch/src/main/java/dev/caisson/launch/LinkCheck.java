package dev.caisson.launch;

import dev.caisson.launch.Verifier.Check;
import dev.caisson.linux.Fd;
import dev.caisson.network.LinkSetting;
import dev.caisson.spec.Subnet;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Compares the links, addresses and routes of a container with its plan. All is read from `/proc/PID/net`, which shows
/// the network namespace of that process: nothing enters it.
final class LinkCheck {
    /// Links that the kernel makes in each new namespace once the module of their tunnel is loaded; they are down.
    static final Set<String> FALLBACK =
            Set.of("tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0");

    private static final int ROUTE_COLUMNS = 8;
    private static final int ROUTE_6_COLUMNS = 10;
    private static final int IF_INET6_COLUMNS = 6;
    private static final int SCOPE_HOST = 0x10;
    private static final int SCOPE_LINK = 0x20;
    private static final long RTF_REJECT_LOCAL_ANYCAST = 0x0200L | 0x8000_0000L | 0x0010_0000L;
    private static final int HEX = 16;
    private static final Pattern SPACE = Pattern.compile("\\s+");

    private final Fd process;
    private final Map<Integer, String> names;
    private final List<LinkSetting> settings;

    private LinkCheck(Fd process, LaunchPlan plan) {
        this.process = process;
        this.names = plan.links().stream().collect(Collectors.toMap(Link::guestIndex, Link::guest));
        this.settings = plan.all(Step.Netlink.class).stream()
                .filter(step -> step.protocol() == NetlinkProtocol.ROUTE)
                .flatMap(step -> LinkSetting.read(step.requests().bytes()).stream())
                .toList();
    }

    /// Returns nothing for a container with loopback alone, whose namespace is checked as such.
    static List<Check> of(Fd process, LaunchPlan plan) {
        if (plan.links().isEmpty()) {
            return List.of();
        }
        var check = new LinkCheck(process, plan);
        return List.of(
                Check.of("links", text(Set.copyOf(check.names.values())), text(check.links())),
                Check.of("addresses", text(check.plannedAddresses()), text(check.addresses())),
                Check.of("routes", text(check.plannedRoutes()), text(check.routes())));
    }

    private static String text(Set<String> words) {
        return String.join(", ", new TreeSet<>(words));
    }

    private Set<String> links() {
        return Verifier.text(process, "net/dev")
                .lines()
                .filter(line -> line.indexOf(':') > 0)
                .map(line -> line.substring(0, line.indexOf(':')).strip())
                .filter(name -> !name.equals("lo") && !FALLBACK.contains(name))
                .collect(Collectors.toSet());
    }

    private Set<String> plannedAddresses() {
        return settings.stream()
                .filter(LinkSetting.Address.class::isInstance)
                .map(setting -> AddressText.of(((LinkSetting.Address) setting).address()))
                .collect(Collectors.toSet());
    }

    private Set<String> addresses() {
        Set<String> found = new TreeSet<>();
        String last = "";
        for (String line : Verifier.text(process, "net/fib_trie").lines().toList()) {
            String entry = line.strip();
            if (entry.startsWith("|-- ")) {
                last = entry.substring("|-- ".length());
            } else if (entry.equals("/32 host LOCAL") && !last.startsWith("127.")) {
                found.add(last);
            }
        }
        for (String[] columns : columns6("net/if_inet6", IF_INET6_COLUMNS)) {
            int scope = Integer.parseInt(columns[3], HEX);
            if (scope != SCOPE_HOST && scope != SCOPE_LINK) {
                found.add(AddressText.of(inet(columns[0])));
            }
        }
        return found;
    }

    private Set<String> plannedRoutes() {
        Set<String> routes = new TreeSet<>();
        for (LinkSetting setting : settings) {
            String link = names.getOrDefault(setting.index(), "?") + " ";
            switch (setting) {
                case LinkSetting.Address address
                when address.routed() -> routes.add(link + Subnet.around(address.address(), address.prefix()));
                case LinkSetting.Route route -> routes.add(link + route);
                case LinkSetting.Address _, LinkSetting.Up _ -> {}
            }
        }
        return routes;
    }

    private Set<String> routes() {
        Set<String> found = new TreeSet<>();
        for (String[] columns : columns(Verifier.text(process, "net/route"), ROUTE_COLUMNS)) {
            if (!columns[0].equals("Iface")) {
                int prefix = Integer.bitCount(Integer.parseUnsignedInt(columns[7], HEX));
                InetAddress to = inet(turned(columns[1]));
                found.add(route(columns[0], new Subnet(to, prefix), inet(turned(columns[2]))));
            }
        }
        for (String[] columns : columns6("net/ipv6_route", ROUTE_6_COLUMNS)) {
            InetAddress to = inet(columns[0]);
            boolean ours = (Long.parseLong(columns[8], HEX) & RTF_REJECT_LOCAL_ANYCAST) == 0;
            if (ours && !columns[9].equals("lo") && !to.isLinkLocalAddress() && !to.isMulticastAddress()) {
                found.add(route(columns[9], new Subnet(to, Integer.parseInt(columns[1], HEX)), inet(columns[4])));
            }
        }
        return found;
    }

    private static String route(String link, Subnet to, InetAddress gateway) {
        return link + " " + to + (gateway.isAnyLocalAddress() ? "" : " via " + AddressText.of(gateway));
    }

    /// Returns nothing of a file that a kernel without IPv6 does not have.
    private List<String[]> columns6(String file, int least) {
        Optional<String> text = Verifier.textIfThere(process, file);
        if (text.isEmpty()) {
            links(); // fails if it was the process that is gone
        }
        return columns(text.orElse(""), least);
    }

    private static List<String[]> columns(String text, int least) {
        var rows = new ArrayList<String[]>();
        for (String line : text.lines().toList()) {
            String[] columns = SPACE.split(line.strip(), -1);
            if (columns.length >= least) {
                rows.add(columns);
            }
        }
        return rows;
    }

    /// The kernel prints an IPv4 address as the number that it is to this machine.
    private static String turned(String hex) {
        return HexFormat.of().toHexDigits(Integer.reverseBytes(Integer.parseUnsignedInt(hex, HEX)));
    }

    private static InetAddress inet(String hex) {
        try {
            return InetAddress.getByAddress(HexFormat.of().parseHex(hex));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an address of " + hex.length() + " digits", e);
        }
    }
}
