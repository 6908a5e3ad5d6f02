package dev.caisson.network.names;

import dev.caisson.linux.Datagrams;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.Pipes;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Answers the questions of one container, within its bounds. Lives in the reactor's thread, but for its figures.
final class ServedNames {
    /// Bytes of questions that may wait; the kernel counts its own overhead too.
    private static final int WAITING_BYTES = 64 * 1024;
    private static final int DATAGRAMS_AT_ONCE = 16;
    private static final int SECONDS_TO_LIVE = 5;
    private static final long PAUSE_NANOS = 1_000_000_000;
    /// Transfers of zones, RFC 5936: their answers are many messages.
    private static final int TYPE_IXFR = 251;

    private static final int TYPE_AXFR = 252;

    private final Resolver resolver;
    private final Forward.Shared shared;
    private final Fd udp;
    private final Fd tcp;
    private final Supplier<NameTable> names;
    private final Upstreams upstreams;
    private final Bounds bounds;
    private final Supplier<Optional<Admission>> admission;
    private final Rate rate;
    private final SequencedSet<Forward> forwards = new LinkedHashSet<>();
    private final Set<TcpClient> clients = new HashSet<>();
    private final AtomicLong questions = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private long udpWatch = -1;
    private long tcpWatch = -1;
    private boolean closed;

    ServedNames(Resolver resolver, Forward.Shared shared, Resolver.Sockets sockets, Resolver.Knowledge knowledge) {
        this.resolver = resolver;
        this.shared = shared;
        udp = sockets.udp();
        tcp = sockets.tcp();
        names = knowledge.names();
        upstreams = knowledge.upstreams();
        bounds = knowledge.bounds();
        admission = knowledge.admission();
        rate = new Rate(bounds.perSecond(), System.nanoTime());
        Pipes.doNotWait(udp);
        Pipes.doNotWait(tcp);
        InternetSockets.receiveBuffer(udp, WAITING_BYTES);
    }

    void begin() {
        watchUdp();
        watchTcp();
    }

    private void watchUdp() {
        if (!closed && udpWatch < 0) {
            udpWatch = shared.reactor().watch(udp, this::readUdp, this::broke);
        }
    }

    private void watchTcp() {
        if (!closed && tcpWatch < 0 && clients.size() < bounds.connections()) {
            tcpWatch = shared.reactor().watch(tcp, this::accept, this::broke);
        }
    }

    private void stopUdp() {
        if (udpWatch >= 0) {
            shared.reactor().forget(udpWatch, udp);
            udpWatch = -1;
        }
    }

    private void stopTcp() {
        if (tcpWatch >= 0) {
            shared.reactor().forget(tcpWatch, tcp);
            tcpWatch = -1;
        }
    }

    /// One question could not be handled, which is an error of ours: the next may be.
    private void broke(Throwable reason) {
        System.getLogger(ServedNames.class.getName())
                .log(System.Logger.Level.ERROR, "a question of a container could not be handled", reason);
        stopUdp();
        stopTcp();
        shared.reactor().at(System.nanoTime() + PAUSE_NANOS, this::begin);
    }

    /// A container that asks too much waits: its questions stay in its socket, where they cost the host nothing more.
    private void readUdp() {
        for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
            long now = System.nanoTime();
            if (!rate.isLeft(now)) {
                stopUdp();
                shared.reactor().at(rate.again(now), this::watchUdp);
                return;
            }
            int length = shared.datagrams().receive(udp);
            if (length < 0) {
                return;
            }
            rate.take();
            byte[] message = shared.datagrams().bytes();
            Datagrams.Peer client = shared.datagrams().peer();
            if (length <= message.length) {
                handle(message, length, false, answer -> shared.datagrams().send(udp, answer, answer.length, client));
            }
        }
    }

    /// A connection counts like a question, whether one comes by it or not.
    private void accept() {
        try {
            while (clients.size() < bounds.connections()) {
                long now = System.nanoTime();
                if (!rate.isLeft(now)) {
                    stopTcp();
                    shared.reactor().at(rate.again(now), this::watchTcp);
                    return;
                }
                Optional<Fd> connection = InternetSockets.accept(tcp);
                if (connection.isEmpty()) {
                    return;
                }
                rate.take();
                clients.add(new TcpClient(this, shared.reactor(), connection.get()));
            }
            stopTcp();
        } catch (ErrnoException e) { // no descriptor left
            broke(e);
        }
    }

    void left(TcpClient client) {
        clients.remove(client);
        watchTcp();
    }

    Rate rate() {
        return rate;
    }

    /// Answers one message, at once or later, in the reactor's thread.
    ///
    /// @return false if it is not to be answered at all
    boolean handle(byte[] message, int length, boolean byTcp, Consumer<byte[]> answer) {
        questions.incrementAndGet();
        Optional<Query> read;
        try {
            read = Query.read(message, length);
        } catch (MalformedMessage e) {
            answer.accept(Reply.malformed(message, e));
            return true;
        }
        if (read.isEmpty()) {
            return false;
        }
        Query query = read.get();
        NameTable table = names.get();
        Optional<NameTable.Found> found = table.find(query);
        if (found.isPresent()) {
            int limit = byTcp ? Wire.LONGEST_TCP : query.limit();
            answer.accept(Reply.answer(query, found.get().code(), found.get().records(), SECONDS_TO_LIVE, limit));
        } else if (!table.leadsOut() || query.type() == TYPE_AXFR || query.type() == TYPE_IXFR) {
            refused.incrementAndGet();
            answer.accept(Reply.empty(query, Wire.REFUSED));
        } else {
            ask(query, byTcp, answer);
        }
        return true;
    }

    /// Asks other servers, unless the container may not.
    private void ask(Query query, boolean byTcp, Consumer<byte[]> answer) {
        Optional<LimitedAnswer> limited = admission.get().map(rules -> new LimitedAnswer(query, byTcp, rules));
        Optional<byte[]> refusal = limited.flatMap(LimitedAnswer::refusal);
        if (refusal.isPresent()) {
            refused.incrementAndGet();
            answer.accept(refusal.get());
        } else if (forwards.size() >= bounds.inFlight() || !resolver.takeForward(this)) {
            refused.incrementAndGet();
            answer.accept(Reply.empty(query, Wire.SERVER_FAILURE));
        } else if (limited.isPresent()) {
            forward(
                    limited.get().question(),
                    byTcp,
                    reply -> answer.accept(limited.get().of(reply)));
        } else {
            forward(query, byTcp, answer);
        }
    }

    private void forward(Query query, boolean byTcp, Consumer<byte[]> answer) {
        var forward = new Forward(shared, query, byTcp, upstreams.servers(), (ended, reply) -> {
            forwards.remove(ended);
            resolver.returnForward();
            answer.accept(reply);
        });
        forwards.add(forward);
        forward.begin();
    }

    /// Returns the number of questions for which other servers are asked.
    int inFlight() {
        return forwards.size();
    }

    /// Answers the first of these that it has no answer.
    void giveUpOldest() {
        forwards.getFirst().giveUp();
    }

    long questions() {
        return questions.get();
    }

    long refused() {
        return refused.get();
    }

    /// Stops, and closes its sockets.
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        stopUdp();
        stopTcp();
        for (Forward forward : forwards) {
            forward.cancel();
            resolver.returnForward();
        }
        forwards.clear();
        Set.copyOf(clients).forEach(TcpClient::close);
        udp.close();
        tcp.close();
    }
}
