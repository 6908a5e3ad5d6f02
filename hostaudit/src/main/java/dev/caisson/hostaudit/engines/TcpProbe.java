package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import dev.caisson.hostaudit.facts.EngineFacts.ServerProbe;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// Asks a TCP listener of the engine's API for `/_ping` as a stranger would: without TLS, then with TLS but without a
/// client certificate. The server's own certificate is not judged, hence not checked.
final class TcpProbe {
    private static final int WAIT_MILLIS = 1000;
    private static final byte[] PING =
            "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private TcpProbe() {}

    static ServerProbe ask(Listener listener) {
        String host = listener.address().equals("0.0.0.0")
                ? "127.0.0.1"
                : listener.address().equals("::") ? "::1" : listener.address();
        try {
            if (isEngine(answer(connected(host, listener.port())))) {
                return new ServerProbe(listener.toString(), "plain", "GET /_ping without TLS was answered");
            }
        } catch (IOException e) {
            return new ServerProbe(listener.toString(), "unreachable", String.valueOf(e.getMessage()));
        }
        try (Socket plain = connected(host, listener.port());
                Socket tls = context().getSocketFactory().createSocket(plain, host, listener.port(), false)) {
            return isEngine(answer(tls))
                    ? new ServerProbe(
                            listener.toString(), "any-client", "GET /_ping over TLS without a certificate was answered")
                    : new ServerProbe(listener.toString(), "refused", "nothing was answered to a stranger");
        } catch (IOException e) {
            return new ServerProbe(listener.toString(), "refused", String.valueOf(e.getMessage()));
        }
    }

    private static Socket connected(String host, int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(host, port), WAIT_MILLIS);
        socket.setSoTimeout(WAIT_MILLIS);
        return socket;
    }

    private static boolean isEngine(String answer) {
        return answer.startsWith("HTTP/1.1 200") || answer.contains("Api-Version:");
    }

    private static String answer(Socket socket) throws IOException {
        try (socket) {
            socket.getOutputStream().write(PING);
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readNBytes(256), StandardCharsets.US_ASCII);
        }
    }

    private static SSLContext context() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new javax.net.ssl.KeyManager[0], new TrustManager[] {new Everybody()}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has TLS", e);
        }
    }

    private static final class Everybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
