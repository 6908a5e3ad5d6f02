package dev.caisson.network.relay;

/// A port of the host while it is relayed. Lives in the reactor's thread.
sealed interface RelayedPort permits TcpPort, UdpPort {
    void begin();

    void close();
}
