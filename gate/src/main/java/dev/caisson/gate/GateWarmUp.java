package dev.caisson.gate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;

/// Does once what gates do, so that what the JVM makes at first use is there before the filter: it may take calls that
/// the filter denies, and the first connection does not wait for it.
final class GateWarmUp {
    private static final String HOST = "host.invalid";

    private GateWarmUp() {}

    static void run() throws IOException {
        InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        new ServerSocket().close(); // which makes a pair of sockets, once
        Authority authority = Authority.create("nothing", List.of(HOST));
        try {
            SSLEngine engine = new Leaves(authority, Set.of(HOST)).context().createSSLEngine();
            engine.setUseClientMode(false);
            engine.beginHandshake();
            Thread.ofVirtual().start(() -> {}).join();
        } catch (java.security.GeneralSecurityException e) {
            throw new IOException("this JVM has no TLS", e);
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }
}
