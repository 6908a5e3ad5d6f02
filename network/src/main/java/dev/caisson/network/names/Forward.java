package dev.caisson.network.names;

import dev.caisson.linux.Datagrams;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.Reactor;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Asks other servers one question: the first, and each further one when the one before has failed or has said nothing
/// for 800 ms. Whoever answers first has answered. Each attempt has a socket at a random port that only the server
/// can send to, and a random id. Lives in the reactor's thread.
final class Forward {
    private static final long STEP_NANOS = 800_000_000;
    /// Before a client gives up, which glibc does after five seconds.
    private static final long END_NANOS = 4_000_000_000L;
    private static final int MOST_ATTEMPTS = 5;
    private static final int DATAGRAMS_AT_ONCE = 8;

    /// Knows the reactor, and what all questions share.
    record Shared(Reactor reactor, Datagrams datagrams, ServerHealth health) {}

    private final Shared shared;
    private final Query query;
    private final boolean tcp;
    private final List<InetSocketAddress> servers;
    private final BiConsumer<Forward, byte[]> done;
    private final List<Attempt> attempts = new ArrayList<>();
    private final Reactor.Timer end;
    private Reactor.@Nullable Timer step;
    private int begun;
    private @Nullable Response failure;
    private boolean finished;

    /// @param done gets this and the answer, once, in the reactor's thread; it may be called before this returns
    Forward(
            Shared shared,
            Query query,
            boolean tcp,
            List<InetSocketAddress> servers,
            BiConsumer<Forward, byte[]> done) {
        this.shared = shared;
        this.query = query;
        this.tcp = tcp;
        this.servers = shared.health().ordered(servers);
        this.done = done;
        end = shared.reactor().at(System.nanoTime() + END_NANOS, this::giveUp);
    }

    void begin() {
        next();
    }

    /// Starts the next attempt, or gives up if all have failed already.
    private void next() {
        if (finished) {
            return;
        }
        if (step != null) {
            step.cancel();
        }
        int most = servers.isEmpty() ? 0 : Math.min(MOST_ATTEMPTS, Math.max(2, 2 * servers.size()));
        while (begun < most) {
            InetSocketAddress server = servers.get(begun++ % servers.size());
            if (start(server)) {
                step = shared.reactor().at(System.nanoTime() + STEP_NANOS, () -> {
                    shared.health().silent(server);
                    next();
                });
                return;
            }
        }
        if (attempts.isEmpty()) {
            giveUp();
        }
    }

    private boolean start(InetSocketAddress server) {
        byte[] random = KernelRandom.bytes(2);
        var message = query.forward(Wire.u16(random, 0));
        try {
            attempts.add(tcp ? new TcpAttempt(server, message) : new UdpAttempt(server, message));
            return true;
        } catch (ErrnoException e) { // no route to it
            shared.health().silent(server);
            return false;
        }
    }

    /// Ends it with the answer that a server failed.
    void giveUp() {
        finish(failure == null ? Reply.empty(query, Wire.SERVER_FAILURE) : failure.bytes());
    }

    private void finish(byte[] answer) {
        if (finished) {
            return;
        }
        cancel();
        done.accept(this, answer);
    }

    /// Ends it without an answer.
    void cancel() {
        finished = true;
        end.cancel();
        if (step != null) {
            step.cancel();
        }
        List.copyOf(attempts).forEach(Attempt::close);
    }

    private void heard(Attempt attempt, byte[] message, int length) {
        Response response;
        try {
            response = Response.read(message, length, query);
        } catch (MalformedMessage e) {
            failed(attempt);
            return;
        }
        if (response.isFailure()) {
            failure = response;
            attempt.close();
            next();
            return;
        }
        shared.health().answered(attempt.server);
        finish(response.bytes());
    }

    private void failed(Attempt attempt) {
        shared.health().silent(attempt.server);
        attempt.close();
        next();
    }

    /// One server that was asked.
    private abstract class Attempt {
        final InetSocketAddress server;
        final Fd socket;
        final int id;
        private long watch = -1;

        Attempt(InetSocketAddress server, Fd socket, byte[] message) {
            this.server = server;
            this.socket = socket;
            id = Wire.u16(message, 0);
        }

        final void begin(Runnable action) {
            try {
                action.run();
            } catch (RuntimeException e) {
                socket.close();
                throw e;
            }
        }

        final void watch(boolean writable, Runnable ready) {
            forget();
            watch = writable
                    ? shared.reactor().watchWritable(socket, () -> guarded(ready), _ -> failed(this))
                    : shared.reactor().watch(socket, () -> guarded(ready), _ -> failed(this));
        }

        private void guarded(Runnable ready) {
            try {
                ready.run();
            } catch (ErrnoException e) { // it does not listen, or the connection broke
                failed(this);
            }
        }

        private void forget() {
            if (watch >= 0) {
                shared.reactor().forget(watch, socket);
                watch = -1;
            }
        }

        final void close() {
            if (attempts.remove(this)) {
                forget();
                socket.close();
            }
        }
    }

    private final class UdpAttempt extends Attempt {
        UdpAttempt(InetSocketAddress server, byte[] message) {
            super(server, InternetSockets.connectUdp(server), message);
            begin(() -> {
                int error = shared.datagrams().send(socket, message, message.length);
                if (error != 0) {
                    throw new ErrnoException("sendto", error);
                }
                watch(false, this::readable);
            });
        }

        /// What does not answer the question under its id is not the server's, and is passed over.
        private void readable() {
            for (int i = 0; i < DATAGRAMS_AT_ONCE && socket.isOpen(); i++) {
                int length = shared.datagrams().receive(socket);
                if (length < 0) {
                    return;
                }
                byte[] message = shared.datagrams().bytes();
                if (length <= message.length && Response.answers(message, length, id, query)) {
                    heard(this, message, length);
                    return;
                }
            }
        }
    }

    private final class TcpAttempt extends Attempt {
        private final Frames frames;

        TcpAttempt(InetSocketAddress server, byte[] message) {
            super(server, InternetSockets.connectTcp(server), message);
            frames = new Frames(socket, Wire.LONGEST_TCP);
            frames.queue(message, message.length);
            begin(() -> watch(true, this::writable));
        }

        private void writable() {
            InternetSockets.requireConnected(socket);
            if (frames.flush()) {
                watch(false, this::readable);
            }
        }

        private void readable() {
            switch (frames.read()) {
                case MORE -> {}
                case END -> failed(this);
                case MESSAGE -> {
                    byte[] message = frames.take();
                    if (Response.answers(message, message.length, id, query)) {
                        heard(this, message, message.length);
                    } else {
                        failed(this);
                    }
                }
            }
        }
    }
}
