package dev.caisson.network.names;

import dev.caisson.network.Namespace;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/// A server of names at port 53 that answers each question as it is told, with any number of datagrams.
public final class FakeServer implements AutoCloseable {
    /// A question and who sent it.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Asked(byte[] message, int port) {}

    public final List<Asked> asked = new CopyOnWriteArrayList<>();
    private final DatagramSocket socket;
    private final Namespace namespace;
    private final Function<byte[], List<byte[]>> answers;
    private Optional<ServerSocket> connections = Optional.empty();

    public FakeServer(Namespace namespace, String address, Function<byte[], List<byte[]>> answers) {
        this.namespace = namespace;
        this.answers = answers;
        socket = namespace.call(() -> new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral(address), 53)));
        Thread.ofPlatform().daemon().start(this::serve);
    }

    private void serve() {
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

    /// Has it answer by TCP too, one question of each connection.
    public FakeServer byTcp() {
        ServerSocket listener = namespace.call(() -> new ServerSocket(53, 64, socket.getLocalAddress()));
        connections = Optional.of(listener);
        Thread.ofPlatform().daemon().start(() -> serve(listener));
        return this;
    }

    private void serve(ServerSocket listener) {
        try {
            while (true) {
                try (Socket client = listener.accept()) {
                    var in = new DataInputStream(client.getInputStream());
                    byte[] message = in.readNBytes(in.readUnsignedShort());
                    asked.add(new Asked(message, client.getPort()));
                    var out = new DataOutputStream(client.getOutputStream());
                    for (byte[] answer : answers.apply(message)) {
                        out.writeShort(answer.length);
                        out.write(answer);
                    }
                }
            }
        } catch (IOException e) {
            // closed
        }
    }

    @Override
    public void close() {
        socket.close();
        connections.ifPresent(listener -> {
            try {
                listener.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
