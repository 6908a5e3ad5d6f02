package dev.caisson.network.names;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/// Decides which names a limited container may ask other servers for, and which addresses of theirs it is told. Called
/// in the resolver's thread; must not wait.
public interface Admission {
    /// True if it may ask for a name.
    ///
    /// @param name in lower case without a last dot; empty for one that no host can have
    boolean mayAsk(Optional<String> name);

    /// Lets it reach addresses that a name has led to.
    ///
    /// @param seconds how long they may be known for
    /// @return those that it is told; empty if they cannot be opened at the moment
    Optional<List<InetAddress>> admit(String name, List<InetAddress> addresses, int seconds);
}
