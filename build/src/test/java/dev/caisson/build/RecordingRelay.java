package dev.caisson.build;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;

/// Passes connections on to a server of this machine, and keeps what was sent both ways.
final class RecordingRelay implements AutoCloseable {
    final String host;
    private final int port;
    private final ServerSocket listening;
    private final List<ByteArrayOutputStream> sent = new CopyOnWriteArrayList<>();

    /// @param server as HOST:PORT
    RecordingRelay(String server) throws IOException {
        this.port = Integer.parseInt(server.substring(server.indexOf(':') + 1));
        this.listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        this.host = "127.0.0.1:" + listening.getLocalPort();
        Thread.ofVirtual().start(this::serve);
    }

    private void serve() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), port);
                Thread.ofVirtual().start(() -> pass(client, server));
                Thread.ofVirtual().start(() -> pass(server, client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void pass(Socket from, Socket to) {
        var record = new ByteArrayOutputStream();
        sent.add(record);
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] piece = new byte[64 << 10];
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                synchronized (record) {
                    record.write(piece, 0, count);
                }
                out.write(piece, 0, count);
            }
        } catch (IOException e) {
            // one of both has gone
        }
    }

    /// Returns what each side of each connection has sent, and what was compressed in it.
    List<byte[]> sent() {
        var all = new ArrayList<byte[]>();
        for (ByteArrayOutputStream record : sent) {
            byte[] bytes;
            synchronized (record) {
                bytes = record.toByteArray();
            }
            all.add(bytes);
            for (int at = 0; at + 2 < bytes.length; at++) {
                if (bytes[at] == 0x1f && bytes[at + 1] == (byte) 0x8b && bytes[at + 2] == 8) {
                    all.add(unpacked(bytes, at));
                }
            }
        }
        return all;
    }

    /// Unpacks up to the end of the member; the next request follows it.
    private static byte[] unpacked(byte[] bytes, int from) {
        var out = new ByteArrayOutputStream();
        try (var in = new GZIPInputStream(new ByteArrayInputStream(bytes, from, bytes.length - from))) {
            byte[] piece = new byte[64 << 10];
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                out.write(piece, 0, count);
            }
        } catch (IOException e) {
            // no member, or its end
        }
        return out.toByteArray();
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
