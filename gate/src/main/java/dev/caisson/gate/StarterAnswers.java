package dev.caisson.gate;

import dev.caisson.gate.wire.ToProcess;
import dev.caisson.gate.wire.ToStarter;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;

/// Answers what the process of a container's gates asks, as far as that container's gates go. It has read the bytes of
/// strangers, so it is believed nothing: it gets connections to addresses that its own gates have, and to no others.
final class StarterAnswers {
    /// More than the requests that a container may have at a time: each asks one thing after the other.
    private static final int MOST_WAITING = 512;

    private static final int MOST_MILLIS = 10_000;

    private final ProcessSocket socket;
    private final List<Gate> gates;
    private final Origins origins;
    private final Notes notes;
    private final Semaphore waiting = new Semaphore(MOST_WAITING);
    private final LongSupplier clock;
    private final Map<Integer, GivenAddresses> given = new ConcurrentHashMap<>();

    StarterAnswers(ProcessSocket socket, List<Gate> gates, Origins origins, Notes notes) {
        this(socket, gates, origins, notes, System::nanoTime);
    }

    StarterAnswers(ProcessSocket socket, List<Gate> gates, Origins origins, Notes notes, LongSupplier clock) {
        this.socket = socket;
        this.gates = gates;
        this.origins = origins;
        this.notes = notes;
        this.clock = clock;
    }

    /// Takes a question or a note.
    ///
    /// @throws ProtocolException if a process of ours would not send it
    void take(ToStarter message) throws ProtocolException {
        switch (message) {
            case ToStarter.Allows allows -> say(new ToProcess.Allowed(allows.id(), allows(gate(allows.gate()))));
            case ToStarter.Addresses asked -> {
                Gate gate = gate(asked.gate());
                begin(() -> addresses(asked, gate));
            }
            case ToStarter.Connect connect -> {
                Gate gate = gate(connect.gate());
                if (connect.millis() < 1
                        || connect.millis() > MOST_MILLIS
                        || !given(connect.gate()).has(connect.address())) {
                    throw new ProtocolException("a connection is asked for that its gate does not have");
                }
                begin(() -> connect(connect, gate));
            }
            case ToStarter.Used used -> notes.used(gate(used.gate()));
            case ToStarter.Refused refused -> note(refused);
            case ToStarter.Ready _, ToStarter.Done _, ToStarter.Failed _ ->
                throw new ProtocolException("an answer comes that nothing was asked for");
        }
    }

    private Gate gate(int number) throws ProtocolException {
        if (number < 0 || number >= gates.size()) {
            throw new ProtocolException("a gate is named that there is not: " + number);
        }
        return gates.get(number);
    }

    private void note(ToStarter.Refused refused) throws ProtocolException {
        if (gates.stream().noneMatch(gate -> gate.port() == refused.port())
                || !(refused.host().isEmpty()
                        || gates.stream().anyMatch(gate -> gate.host().equals(refused.host())))) {
            throw new ProtocolException("a refusal is of a host or port that no gate has");
        }
        notes.refused(refused.host(), refused.port(), refused.reason().replaceAll("[^ -~]", "?"));
    }

    /// @param gate that there is
    private GivenAddresses given(int gate) {
        return given.computeIfAbsent(gate, _ -> new GivenAddresses());
    }

    private boolean allows(Gate gate) {
        return origins.allows(gate);
    }

    private void begin(Runnable work) throws ProtocolException {
        if (!waiting.tryAcquire()) {
            throw new ProtocolException("more is asked at a time than " + MOST_WAITING + " requests would");
        }
        Thread.ofVirtual().name("caisson gate answer").start(() -> {
            try {
                work.run();
            } finally {
                waiting.release();
            }
        });
    }

    private void addresses(ToStarter.Addresses asked, Gate gate) {
        ToProcess.Found found;
        try {
            List<InetAddress> all = origins.addresses(gate);
            List<InetAddress> some = List.copyOf(all.subList(0, Math.min(all.size(), ToProcess.MOST_ADDRESSES)));
            given(asked.gate()).give(some, clock.getAsLong());
            found = new ToProcess.Found(asked.id(), true, some);
        } catch (UnknownHostException | RuntimeException e) {
            found = new ToProcess.Found(asked.id(), false, List.of());
        }
        say(found);
    }

    private void connect(ToStarter.Connect asked, Gate gate) {
        if (!allows(gate) || !given(asked.gate()).isFresh(asked.address(), clock.getAsLong())) {
            say(new ToProcess.Connected(asked.id()));
            return;
        }
        try (Fd connected =
                InternetSockets.connectTcp(new InetSocketAddress(asked.address(), gate.port()), asked.millis())) {
            send(new ToProcess.Connected(asked.id()), List.of(connected));
        } catch (IOException e) {
            say(new ToProcess.Connected(asked.id()));
        }
    }

    private void say(ToProcess message) {
        send(message, List.of());
    }

    private void send(ToProcess message, List<Fd> descriptors) {
        if (!socket.send(message.bytes(), descriptors)) {
            socket.hangUp(); // whoever reads from it ends the process then
        }
    }
}
