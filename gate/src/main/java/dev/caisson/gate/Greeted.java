package dev.caisson.gate;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// One connection of a container: its greeting is read, and bytes go both ways unchanged after that.
final class Greeted implements ContainerConnections.Connection {
    private static final int CHUNK = 1 << 15;
    private static final int APPLICATION_DATA = 23;

    /// Records that a server skips before another greeting, but for early data. Clients send one.
    private static final int MOST_SKIPPED = 32;

    private final Socket client;
    private final int port;
    private final GreetingRules rules;
    private final Duration patience;
    private final long until;
    private volatile @Nullable String name;
    private volatile @Nullable Socket server;
    private volatile boolean ended;

    Greeted(Socket client, int port, GreetingRules rules, Duration patience) {
        this.client = client;
        this.port = port;
        this.rules = rules;
        this.patience = patience;
        this.until = System.nanoTime() + patience.toNanos();
    }

    /// True if it has said nothing for too long, or greeted somebody that it may not greet any more.
    @Override
    public boolean isOver() {
        String greeted = name;
        return greeted == null ? System.nanoTime() - until > 0 : !rules.allows(greeted);
    }

    /// Ends it from outside.
    @Override
    public void end() {
        ended = true;
        close(client);
        close(server);
    }

    private static void close(@Nullable Socket one) {
        if (one == null) {
            return;
        }
        try {
            one.close();
        } catch (IOException e) {
            // it is gone all the same
        }
    }

    @Override
    public void run() {
        try {
            InputStream in = new BufferedInputStream(client.getInputStream());
            ClientHello hello = ClientHello.read(in);
            String wanted = allowed(hello);
            name = wanted;
            Socket to = connect(wanted);
            client.setTcpNoDelay(true);
            to.setTcpNoDelay(true);
            Thread back = Thread.ofVirtual().name("caisson greeting answer").start(() -> answer(to));
            OutputStream out = to.getOutputStream();
            out.write(hello.bytes());
            greetings(in, out, hello);
            copy(in, to);
            back.join();
        } catch (Refused e) {
            rules.denied(e.name(), e.reason());
        } catch (IOException e) {
            if (name == null) {
                rules.denied("", "it sent no greeting of TLS");
            } // else it, or the server, has ended
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            end();
        }
    }

    /// Returns the name that is greeted.
    /// @throws Refused if the container may not send there
    private String allowed(ClientHello hello) throws Refused {
        if (hello.hidden()) {
            throw new Refused(hello.name().orElse(""), "its greeting hides a name (encrypted client hello)");
        }
        String wanted = hello.name().orElseThrow(() -> new Refused("", "its greeting has no name"));
        if (!rules.allows(wanted)) {
            throw new Refused(wanted, "the name in its greeting is not on its list");
        }
        return wanted;
    }

    /// Tries the addresses of a name one after the other.
    private Socket connect(String wanted) throws IOException {
        long end = System.nanoTime() + patience.toNanos();
        IOException failure = null;
        for (InetAddress address : rules.addresses(wanted)) {
            int left = (int) ((end - System.nanoTime()) / 1_000_000);
            if (left <= 0 || ended) {
                break;
            }
            var to = new Socket();
            server = to;
            try {
                to.connect(new InetSocketAddress(address, port), left);
                if (ended) {
                    close(to);
                }
                return to;
            } catch (IOException e) {
                close(to);
                failure = e;
            }
        }
        throw failure == null ? new Refused(wanted, "the name led to no address that it may reach") : failure;
    }

    /// Passes on what a client sends, until no other greeting can follow. A server that asks for another one,
    /// RFC 8446 section 4.1.4, may take the name of that one. Before it comes, the server skips early data, alerts
    /// and changes of cipher.
    private static void greetings(InputStream in, OutputStream out, ClientHello first) throws IOException {
        boolean early = first.early();
        boolean ends = false;
        int skipped = 0;
        try {
            while (!ends) {
                ClientHello.Piece piece = ClientHello.piece(in);
                if (piece.mayGreet()) {
                    ClientHello again = ClientHello.read(piece, in);
                    if (again.hidden() || !again.name().equals(first.name())) {
                        throw new Refused(again.name().orElse(""), "its second greeting has another name");
                    }
                    out.write(again.bytes());
                    early = false;
                } else if (piece.type() == ClientHello.HANDSHAKE && piece.content().length == 0) {
                    throw new Refused(first.name().orElse(""), "an empty record follows its greeting");
                } else if (piece.type() != APPLICATION_DATA && ++skipped > MOST_SKIPPED) {
                    throw new Refused(first.name().orElse(""), "too much follows its greeting");
                } else {
                    out.write(piece.bytes());
                    ends = piece.type() == ClientHello.HANDSHAKE || (piece.type() == APPLICATION_DATA && !early);
                }
            }
        } catch (EOFException e) {
            // the server is told by who copies the rest
        }
    }

    private void answer(Socket from) {
        try {
            copy(from.getInputStream(), client);
        } catch (IOException e) {
            end(); // both ends see it
        }
    }

    private static void copy(InputStream in, Socket to) throws IOException {
        var piece = new byte[CHUNK];
        OutputStream out = to.getOutputStream();
        for (int count; (count = in.read(piece)) >= 0; ) {
            out.write(piece, 0, count);
        }
        to.shutdownOutput();
    }
}
