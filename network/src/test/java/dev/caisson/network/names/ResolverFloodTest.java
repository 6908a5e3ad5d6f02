package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.InternetSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// A container that only connects makes its resolver do no more than one that asks.
class ResolverFloodTest {
    private static final int PER_SECOND = 50;
    private static final int PATIENCE_MILLIS = 300;

    @Test
    void connections_without_questions_are_bounded_like_questions() throws Exception {
        var loopback = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
        var sockets = new Resolver.Sockets(InternetSockets.bindUdp(loopback), InternetSockets.listenTcp(loopback, 16));
        InetSocketAddress address = InternetSockets.localAddress(sockets.tcp());
        var nothing = new NameTable(Map.of(), Map.of(), List.of(), false);
        var bounds = new Bounds(PER_SECOND, 4, 4);
        try (var resolver = new Resolver(_ -> {})) {
            resolver.serve(sockets, new Resolver.Knowledge(() -> nothing, Upstreams.of(List.of()), bounds));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
            int served = 0;
            while (System.nanoTime() < end) {
                served += isServed(address) ? 1 : 0;
            }

            assertThat(served).isBetween(10, 3 * PER_SECOND);
        }
    }

    /// Connects, asks nothing, and returns true if the other side has noticed.
    private static boolean isServed(InetSocketAddress address) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(address, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.shutdownOutput();
            return socket.getInputStream().read() == -1;
        } catch (SocketTimeoutException e) {
            return false;
        }
    }
}
