package dev.caisson.network.relay;

import dev.caisson.linux.Datagrams;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.Reactor;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A UDP port: each client has a socket of its own towards the container, by which answers find back.
final class UdpPort implements RelayedPort {
    private static final int DATAGRAMS_AT_ONCE = 16;

    private final Carried carried;
    private final Fd bound;
    private final InetSocketAddress container;
    private final Relay.Bounds bounds;
    /// The one that was silent longest is the first.
    private final Map<Datagrams.Peer, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);

    private long watch = -1;
    private boolean closed;

    UdpPort(Carried carried, Fd bound, InetSocketAddress container, Relay.Bounds bounds) {
        this.carried = carried;
        this.bound = bound;
        this.container = container;
        this.bounds = bounds;
    }

    @Override
    public void begin() {
        if (!closed && watch < 0) {
            watch = carried.reactor().watch(bound, this::read, _ -> pause());
        }
    }

    private void stop() {
        if (watch >= 0) {
            carried.reactor().forget(watch, bound);
            watch = -1;
        }
    }

    private void pause() {
        stop();
        carried.later(this::begin);
    }

    private void read() {
        for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
            int length = carried.datagrams().receive(bound);
            if (length < 0) {
                return;
            }
            Datagrams.Peer client = carried.datagrams().peer();
            Session session = sessions.get(client);
            if (session == null) {
                makeRoom();
                if (!carried.take(this)) {
                    continue;
                }
                try {
                    session = new Session(client, InternetSockets.connectUdp(container));
                } catch (ErrnoException e) { // the container is not there: the datagram is lost
                    carried.giveBack();
                    continue;
                }
                sessions.put(client, session);
            }
            session.used = System.nanoTime();
            carried.datagrams().send(session.socket, carried.datagrams().bytes(), length);
        }
    }

    private void makeRoom() {
        if (sessions.size() >= bounds.sessions()) {
            giveUpOne();
        }
    }

    @Override
    public int size() {
        return sessions.size();
    }

    @Override
    public void giveUpOne() {
        sessions.values().iterator().next().close();
    }

    @Override
    public void close() {
        closed = true;
        stop();
        List.copyOf(sessions.values()).forEach(Session::close);
        bound.close();
    }

    private final class Session {
        private final Datagrams.Peer client;
        private final Fd socket;
        private final long watching;
        private Reactor.Timer timer;
        private long used = System.nanoTime();

        Session(Datagrams.Peer client, Fd socket) {
            this.client = client;
            this.socket = socket;
            try {
                watching = carried.reactor().watch(socket, this::answer, _ -> close());
            } catch (ErrnoException e) {
                socket.close();
                throw e;
            }
            timer = carried.reactor().at(due(), this::look);
        }

        private long due() {
            return used + bounds.silentMillis() * 1_000_000L;
        }

        private void look() {
            if (System.nanoTime() - due() >= 0) {
                close();
            } else {
                timer = carried.reactor().at(due(), this::look);
            }
        }

        private void answer() {
            for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
                int length;
                try {
                    length = carried.datagrams().receive(socket);
                } catch (ErrnoException e) { // the container does not listen at the port
                    return;
                }
                if (length < 0) {
                    return;
                }
                used = System.nanoTime();
                sessions.get(client); // it is not the one that was silent longest
                carried.datagrams().send(bound, carried.datagrams().bytes(), length, client);
            }
        }

        void close() {
            sessions.remove(client, this);
            timer.cancel();
            if (socket.isOpen()) {
                carried.giveBack();
                carried.reactor().forget(watching, socket);
                socket.close();
            }
        }
    }
}
