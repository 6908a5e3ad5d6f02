package dev.caisson.spec;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.net.InetAddress;
import java.util.List;
import java.util.regex.Pattern;

/// How a container finds the addresses of names, resolv.conf(5) and hosts(5).
///
/// @param servers addresses to ask in place of those of the host
/// @param search domains in place of those of the host; `.` alone for none
/// @param options as `ndots:2`, in place of those of the host
/// @param hosts further lines of `/etc/hosts`
public record NameLookup(List<InetAddress> servers, List<String> search, List<String> options, List<ExtraHost> hosts) {
    private static final Pattern OPTION = Pattern.compile("[a-z][a-z0-9-]{0,31}(?::[0-9]{1,5})?");
    private static final int MOST = 16;
    private static final int MOST_HOSTS = 512;

    /// What the host has, and no further names.
    public static final NameLookup STANDARD = new NameLookup(List.of(), List.of(), List.of(), List.of());

    public NameLookup {
        servers = More.copy(servers, "servers");
        search = More.copy(search, "search");
        options = More.copy(options, "options");
        hosts = More.copy(hosts, "hosts");
        requireAtMost(MOST, servers, "DNS servers");
        requireAtMost(MOST, search, "search domains");
        requireAtMost(MOST, options, "DNS options");
        requireAtMost(MOST_HOSTS, hosts, "further hosts");
        for (String domain : search) {
            boolean none = domain.equals(".") && search.size() == 1;
            if (!none && !HostNames.canBeAskedFor(domain)) {
                throw ArgumentException.invalid("search domain " + Quoted.of(domain)
                        + " is not a domain: write one as example.com, or . alone for none");
            }
        }
        for (String option : options) {
            if (!OPTION.matcher(option).matches()) {
                throw ArgumentException.invalid(
                        "DNS option " + Quoted.of(option) + " is not one of resolv.conf(5): write one as ndots:2");
            }
        }
        if (servers.stream().anyMatch(InetAddress::isAnyLocalAddress)) {
            throw ArgumentException.invalid(
                    "a DNS server has an address of its own: name one other than 0.0.0.0 and ::");
        }
    }

    private static void requireAtMost(int most, List<?> values, String what) {
        if (values.size() > most) {
            throw ArgumentException.invalid(values.size() + " " + what + " are too many: name at most " + most);
        }
    }
}
