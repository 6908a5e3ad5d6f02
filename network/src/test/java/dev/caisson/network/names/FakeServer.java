package dev.caisson.network.names;

import dev.caisson.network.Namespace;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/// A server of names at port 53 that answers each question as it is told, with any number of datagrams.
final class FakeServer implements AutoCloseable {
    /// A question and who sent it.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Asked(byte[] message, int port) {}

    final List<Asked> asked = new CopyOnWriteArrayList<>();
    private final DatagramSocket socket;

    FakeServer(Namespace namespace, String address, Function<byte[], List<byte[]>> answers) {
        socket = namespace.call(() -> new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral(address), 53)));
        Thread.ofPlatform().daemon().start(() -> serve(answers));
    }

    private void serve(Function<byte[], List<byte[]>> answers) {
        try {
            while (true) {
                var packet = new DatagramPacket(new byte[4096], 4096);
                socket.receive(packet);
                byte[] message = java.util.Arrays.copyOf(packet.getData(), packet.getLength());
                asked.add(new Asked(message, packet.getPort()));
                for (byte[] answer : answers.apply(message)) {
                    socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                }
            }
        } catch (IOException e) {
            // closed
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
