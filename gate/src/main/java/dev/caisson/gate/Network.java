package dev.caisson.gate;

import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/// The sockets of gates.
interface Network {
    /// Returns the listening socket for a port that the container sends to.
    ServerSocket listen(int port) throws IOException;

    /// Returns a socket that is not connected, for the host of a gate.
    Socket outward(Gate gate) throws IOException;

    /// The network of this process.
    ///
    /// @param address of the host, to listen on
    record OfProcess(InetAddress address, int backlog) implements Network {
        @Override
        public ServerSocket listen(int port) throws IOException {
            return ContainerConnections.listen(address, backlog);
        }

        @Override
        public Socket outward(Gate gate) {
            return new Socket();
        }
    }
}
