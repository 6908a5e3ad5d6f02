package dev.caisson.engine;

import dev.caisson.gate.Authority;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;

/// A server for the value of a canary: it says whether a request had it, and repeats it in what it answers.
final class CanaryServer implements AutoCloseable {
    private static final String HOST = "canary.caisson.invalid";
    private static final int BACKLOG = 16;
    private static final int MOST_HEAD = 16_384;
    private static final int PATIENCE_MILLIS = 10_000;
    private static final byte[] END = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final Authority authority = Authority.create("the canary's server", List.of(HOST));
    private final InetAddress address = InetAddress.getLoopbackAddress();
    private final ServerSocket socket;
    private final byte[] value;
    private volatile boolean sent;

    /// @param value is cleared when it is closed
    CanaryServer(byte[] value) throws IOException {
        this.value = value;
        try {
            socket = authority.context(List.of(HOST)).getServerSocketFactory().createServerSocket(0, BACKLOG, address);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
        Thread.ofPlatform().daemon().name("caisson canary server").start(this::serve);
    }

    KnownHost known() {
        return new KnownHost(HOST, address, authority.pem());
    }

    /// Returns its name and port.
    String target() {
        return HOST + ":" + socket.getLocalPort();
    }

    /// Returns its address and port.
    String reached() {
        return address.getHostAddress() + ":" + socket.getLocalPort();
    }

    /// True if a request had the value.
    boolean wasSent() {
        return sent;
    }

    private void serve() {
        while (!socket.isClosed()) {
            try (Socket one = socket.accept()) {
                one.setSoTimeout(PATIENCE_MILLIS);
                answer(one);
            } catch (IOException e) {
                // it is closed, or who asked is gone
            }
        }
    }

    private void answer(Socket one) throws IOException {
        InputStream in = one.getInputStream();
        byte[] head = new byte[MOST_HEAD];
        int length = 0;
        while (indexOf(head, length, END) < 0) {
            int count = in.read(head, length, head.length - length);
            if (count <= 0) {
                return;
            }
            length += count;
        }
        synchronized (value) {
            sent |= indexOf(head, length, value) >= 0;
            OutputStream out = one.getOutputStream();
            out.write(("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + value.length + "\r\nX-Echo: ")
                    .getBytes(StandardCharsets.US_ASCII));
            out.write(value);
            out.write(END);
            out.write(value);
            out.flush();
        }
        Arrays.fill(head, (byte) 0);
    }

    private static int indexOf(byte[] in, int length, byte[] what) {
        for (int at = 0; at + what.length <= length; at++) {
            if (Arrays.equals(in, at, at + what.length, what, 0, what.length)) {
                return at;
            }
        }
        return -1;
    }

    @Override
    public void close() throws IOException {
        socket.close();
        synchronized (value) {
            Arrays.fill(value, (byte) 0);
        }
    }
}
