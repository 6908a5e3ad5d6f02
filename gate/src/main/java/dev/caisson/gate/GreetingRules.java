package dev.caisson.gate;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/// The names that a container may greet, as they are at the moment. Called by several threads.
public interface GreetingRules {
    /// True if a name is on the list.
    boolean allows(String name);

    /// Returns addresses of a name that the container may reach by it; none if there are only others.
    List<InetAddress> addresses(String name) throws UnknownHostException;

    /// Notes a connection that was refused.
    ///
    /// @param name empty if none was read
    void denied(String name, String reason);
}
