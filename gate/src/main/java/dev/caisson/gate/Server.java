package dev.caisson.gate;

import dev.caisson.spec.Gate;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/// A connection to the real server, whose certificate is good for the host's name by the authorities that the host of
/// the container trusts.
final class Server implements AutoCloseable {
    static final String HTTP_1 = "http/1.1";
    static final String HTTP_2 = "h2";

    /// Makes a socket.
    interface Opening {
        Socket open() throws IOException;
    }

    private static final String NO_PROTOCOL = "no_application_protocol";
    /// How a server is looked for.
    ///
    /// @param protocols of HTTP, of which the server chooses one
    /// @param most addresses that are tried
    /// @param millis for each to answer, and for each part of its greeting
    record Attempt(List<String> protocols, int most, int millis) {
        static Attempt standard(String protocol) {
            return new Attempt(List.of(protocol), 4, 5_000);
        }

        /// Makes one for which a client waits within its own greeting.
        static Attempt brief(List<String> protocols) {
            return new Attempt(protocols, 1, 4_000);
        }
    }

    private static final long FRESH_NANOS = 3_000_000_000L;

    private final SSLSocket socket;
    private final Input in;
    private final OutputStream out;
    private volatile long usedAt = System.nanoTime();

    private Server(SSLSocket socket) throws IOException {
        this.socket = socket;
        this.in = new Input(socket.getInputStream());
        this.out = socket.getOutputStream();
    }

    /// Connects to one of a gate's addresses.
    ///
    /// @param opening makes sockets that are not connected, and closes them when their time is up
    static Server connect(Gate gate, Attempt attempt, Origins origins, SSLContext trust, Opening opening)
            throws Refusal, IOException {
        List<InetAddress> addresses;
        try {
            addresses = origins.addresses(gate);
        } catch (UnknownHostException e) {
            throw new Refusal(Refusal.BAD_GATEWAY, "the host " + gate.host() + " has no address at the moment");
        }
        if (addresses.isEmpty()) {
            throw new Refusal(
                    Refusal.BAD_GATEWAY,
                    "the host " + gate.host() + " leads to addresses that the container may not reach: name the address"
                            + " in --egress too");
        }
        IOException last = new IOException("no address was tried");
        for (InetAddress address : addresses.subList(0, Math.min(attempt.most(), addresses.size()))) {
            Socket plain = opening.open();
            try {
                plain.connect(new InetSocketAddress(address, gate.port()), attempt.millis());
                plain.setSoTimeout(attempt.millis());
                plain.setTcpNoDelay(true);
                return new Server(greeted(plain, gate, attempt.protocols(), trust));
            } catch (SSLException e) {
                plain.close();
                throw refused(gate, attempt.protocols(), e);
            } catch (IOException e) {
                plain.close();
                last = e;
            }
        }
        throw last;
    }

    private static Refusal refused(Gate gate, List<String> protocols, SSLException cause) {
        return String.valueOf(cause.getMessage()).contains(NO_PROTOCOL)
                ? Refusal.ofProtocol(
                        "the server of " + gate.host() + " does not speak " + String.join(" or ", protocols)
                                + ", which the program does: have it use another version of HTTP")
                : new Refusal(
                        Refusal.BAD_GATEWAY,
                        "the server of " + gate.host()
                                + " is not trusted: the host of this container knows no authority"
                                + " that vouches for it");
    }

    private static SSLSocket greeted(Socket plain, Gate gate, List<String> protocols, SSLContext trust)
            throws IOException {
        SSLSocket tls = (SSLSocket) trust.getSocketFactory().createSocket(plain, gate.host(), gate.port(), true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(gate.host())));
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setApplicationProtocols(protocols.toArray(String[]::new));
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        plain.setSoTimeout(0);
        if (!protocols.contains(protocol(tls))) {
            throw new SSLException(NO_PROTOCOL); // it has ignored the list
        }
        return tls;
    }

    private static String protocol(SSLSocket tls) {
        return tls.getApplicationProtocol().isEmpty() ? HTTP_1 : tls.getApplicationProtocol();
    }

    /// Returns the version of HTTP that the server has chosen.
    String protocol() {
        return protocol(socket);
    }

    SSLSocket socket() {
        return socket;
    }

    Input in() {
        return in;
    }

    OutputStream out() {
        return out;
    }

    void used() {
        usedAt = System.nanoTime();
    }

    /// True if it may have been closed by the server meanwhile.
    boolean isOld() {
        return System.nanoTime() - usedAt > FRESH_NANOS || in.hasMore();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone all the same
        }
    }
}
