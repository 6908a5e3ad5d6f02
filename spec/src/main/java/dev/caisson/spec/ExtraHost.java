package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.net.InetAddress;

/// A further name in a container's `/etc/hosts`.
public record ExtraHost(String name, InetAddress address) {
    public ExtraHost {
        present(address, "address");
        if (!HostNames.isName(present(name, "name"))) {
            throw ArgumentException.invalid("host " + Quoted.of(name)
                    + " is not a host name: use letters, digits, dots, hyphens and underscores");
        }
    }

    /// Reads `NAME:ADDRESS` or `NAME=ADDRESS`; an IPv6 address may stand in brackets.
    public static ExtraHost parse(String text) {
        int equals = present(text, "text").indexOf('=');
        int end = equals >= 0 ? equals : text.indexOf(':');
        if (end <= 0) {
            throw ArgumentException.invalid(Quoted.of(text) + " is not a further host: write NAME:ADDRESS");
        }
        String address = text.substring(end + 1);
        if (address.equals("host-gateway")) {
            throw ArgumentException.invalid(
                    "host-gateway is the host, whose services are closed to containers: open the ports with --allow"
                            + " host-services=PORT, or write an address");
        }
        boolean bracketed = address.startsWith("[") && address.endsWith("]");
        return new ExtraHost(
                text.substring(0, end),
                AddressText.parse(bracketed ? address.substring(1, address.length() - 1) : address)
                        .orElseThrow(() -> ArgumentException.invalid(
                                Quoted.of(address) + " is not an IP address: write NAME:ADDRESS, as db:192.0.2.7")));
    }

    @Override
    public String toString() {
        return name + ":" + AddressText.of(address);
    }
}
