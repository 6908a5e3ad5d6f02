package dev.caisson.gate;

import dev.caisson.spec.Gate;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/// The servers behind gates, as the container may reach them at the moment.
public interface Origins {
    /// True if the container may still send to the host.
    boolean allows(Gate gate);

    /// Looks the host up.
    /// @return addresses that the container may reach by that name; none if there are others alone
    List<InetAddress> addresses(Gate gate) throws UnknownHostException;
}
