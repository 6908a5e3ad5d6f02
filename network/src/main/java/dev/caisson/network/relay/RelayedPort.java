package dev.caisson.network.relay;

/// A port of the host while it is relayed. Lives in the reactor's thread.
sealed interface RelayedPort permits TcpPort, UdpPort {
    void begin();

    /// Returns how many connections or clients it has.
    int size();

    /// Ends the one of them that was silent longest.
    void giveUpOne();

    void close();
}
