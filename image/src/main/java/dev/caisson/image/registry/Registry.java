package dev.caisson.image.registry;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// A registry as it stands in an image's name: a host and, if it is not that of the scheme, a port.
///
/// @param name `docker.io`, `127.0.0.1:5000`, `[::1]:5000`
record Registry(String name) {
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    /// Second labels below which countries register names: `co.uk`, `com.au`.
    private static final Set<String> SHARED =
            Set.of("ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org");
    private static final String DOCKER_HUB = "docker.io";
    private static final String DOCKER_HUB_HOST = "registry-1.docker.io";

    /// Returns the address that answers, below which are the paths of the distribution specification.
    URI base(String scheme) {
        return URI.create(scheme + "://" + (name.equals(DOCKER_HUB) ? DOCKER_HUB_HOST : name));
    }

    /// True if it is this machine by its name, so that nobody on a network can listen.
    boolean isLoopback() {
        return isLoopbackName(host(base("https")));
    }

    /// True if plain http may be tried after https has failed at `tried`: with this machine alone, and never with
    /// a login.
    boolean mayBePlain(URI tried, boolean hasLogin) {
        return isLoopback() && tried.getScheme().equals("https") && !hasLogin;
    }

    /// True if a login may be sent to this registry at `asked`: never in clear over a network.
    boolean mayHaveLogin(URI asked) {
        return isLoopback() || "https".equals(asked.getScheme());
    }

    static boolean isLoopbackName(String host) {
        return host.equals("localhost")
                || host.equals("::1")
                || (IPV4.matcher(host).matches() && host.startsWith("127."));
    }

    /// Returns the host of an address in lower case, an IPv6 address without its brackets.
    static String host(URI address) {
        String host = String.valueOf(address.getHost()).toLowerCase(Locale.ROOT);
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /// True if a host is this machine or its link, or resolves to it: nothing that a registry elsewhere may lead to.
    static boolean isNear(String host) {
        try {
            for (InetAddress address : InetAddress.getAllByName(host)) {
                if (address.isLoopbackAddress() || address.isAnyLocalAddress() || address.isLinkLocalAddress()) {
                    return true;
                }
            }
            return false;
        } catch (UnknownHostException e) {
            return false; // then no connection is made either
        }
    }

    /// True if both hosts belong to one owner: they are the same, or names that share their last two labels, which are
    /// not ones that many owners share.
    static boolean isRelated(String one, String other) {
        if (one.equals(other)) {
            return true;
        }
        return isName(one)
                && isName(other)
                && owner(one).equals(owner(other))
                && !SHARED.contains(owner(one).substring(0, owner(one).indexOf('.')));
    }

    private static boolean isName(String host) {
        return host.indexOf(':') < 0 && !IPV4.matcher(host).matches() && host.indexOf('.') > 0;
    }

    private static String owner(String host) {
        int last = host.lastIndexOf('.');
        return host.substring(host.lastIndexOf('.', last - 1) + 1);
    }
}
