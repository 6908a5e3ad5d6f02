package dev.caisson.network;

import dev.caisson.spec.Destination;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Transport;
import java.time.Duration;

/// A port of a host that a container is led to a gate for: it is told the address of its own gateway for the name, and
/// what it sends there to the port comes to the gate.
///
/// @param host in lower case
/// @param port that the container sends to
/// @param gatePort that the gate listens on, at the gateway's address; 0 while nobody does
public record GateLead(String host, int port, int gatePort) {
    /// How long a container is led to a gate unless that is renewed: after the gate's process was killed, another
    /// service of the host may get its port.
    static final Duration LASTING = Duration.ofSeconds(10);

    /// How often [Memberships#renewLeads] is to be called.
    public static final Duration RENEWED_EACH = Duration.ofSeconds(3);

    private static final String GREETINGS = "*";

    /// Returns the lead of all names that are reached by greetings of TLS.
    ///
    /// @param listening port of who reads them; 0 while nobody does
    public static GateLead ofGreetings(int listening) {
        return new GateLead(GREETINGS, Destination.Name.GREETED, listening);
    }

    boolean isOfGreetings() {
        return host.equals(GREETINGS);
    }

    /// True if a list of destinations has the host and port.
    boolean isOn(Egress egress) {
        if (isOfGreetings()) {
            return egress.greets();
        }
        return egress instanceof Egress.Listed listed
                && listed.of(host).stream().anyMatch(one -> one.port() == port && one.transport() == Transport.TCP);
    }
}
