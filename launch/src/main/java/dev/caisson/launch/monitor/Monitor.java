package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Link;
import dev.caisson.launch.PlanCodec;
import dev.caisson.launch.ResolverSockets;
import dev.caisson.launch.Zygote;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Sockets;
import dev.caisson.linux.Terminal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A connection to the monitor of one container. Its owner makes one request at a time; notices that come
/// meanwhile wait for [#notice]. Not for several threads.
public final class Monitor implements AutoCloseable {
    /// What a monitor tells those who watch.
    public enum Topic {
        /// Its log has grown.
        LOG,
        /// It has changed its phase.
        STATE,
        /// There is room for input again.
        INPUT
    }

    private static final String SOCKET = "s";
    private static final int HOLD = 1;
    private static final int END_OF_INPUT = 1;
    private static final int FORCE = 1;
    private static final int FINAL = 1 << 16;
    private static final int WATCH_LOG = 1;
    private static final int WATCH_STATE = 2;
    private static final int UDP = 17;
    private static final int TCP = 6;

    private final Conversation talk;

    Monitor(Fd socket) {
        this(new Conversation(socket, 0, Silence.Bounds.USUAL)); // SETUP is the first
    }

    private Monitor(Conversation talk) {
        this.talk = talk;
    }

    /// Gives a process that has started all that it needs to be the monitor of a container. An interrupt meanwhile does
    /// not leave a monitor of which nobody knows: it is heeded before or afterwards.
    ///
    /// @throws HostException if it is none, and then the connection is closed
    static Monitor setUp(Fd socket, MonitorSetup setup) throws InterruptedException {
        var monitor = new Monitor(socket);
        try {
            Packet reply = monitor.talk.askToTheEnd(Requests.SETUP, setup.encode(), setup.descriptors());
            if (reply.argument() != 0) {
                throw MonitorFailures.start(reply.argument(), reply.payload());
            }
            return monitor;
        } catch (RuntimeException | InterruptedException e) {
            monitor.close();
            throw e;
        }
    }

    /// Connects to the monitor whose socket stands in `directory`; empty if it is gone.
    /// @throws HostException MONITOR_SILENT if too many wait for it already
    public static Optional<Monitor> connect(Fd directory) {
        return connect(directory, Silence.Bounds.USUAL);
    }

    static Optional<Monitor> connect(Fd directory, Silence.Bounds bounds) {
        try {
            Fd socket = Sockets.connect(directory, SOCKET, bounds.answer().toMillis());
            return Optional.of(new Monitor(new Conversation(socket, 1, bounds)));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ECONNREFUSED)) {
                return Optional.empty();
            }
            if (e.is(Errno.EAGAIN)) {
                throw MonitorFailures.crowded(bounds.answer());
            }
            throw e;
        }
    }

    public MonitorState state() throws InterruptedException {
        return stateOf(ask(Requests.STATE, 0));
    }

    /// Starts the container up to its program, which waits for [#go].
    /// @return the state, with the process id of its process 1
    /// @throws HostException or what a launch throws; EALREADY as MONITOR_BUSY
    public StartReply hold() throws InterruptedException {
        return start(HOLD);
    }

    /// Starts the container.
    public StartReply start() throws InterruptedException {
        return start(0);
    }

    private StartReply start(int argument) throws InterruptedException {
        Packet reply = ask(Requests.START, argument);
        return new StartReply(reply.argument(), reply.payload());
    }

    /// Lets the program run that is held.
    public MonitorState go() throws InterruptedException {
        return stateOf(checked(ask(Requests.GO, 0)));
    }

    /// Asks the program to end, kills it if it has not ended in time, and waits until it has ended for good.
    /// @param signal 0 for its own
    /// @param patience empty for its own
    public MonitorState stop(int signal, Duration patience) throws InterruptedException {
        ByteBuffer payload = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        payload.putInt(signal).putInt((int) MonitorPolicy.millis(patience));
        return stateOf(checked(ask(Requests.STOP, 0, payload.array(), List.of())));
    }

    /// Sends a signal to its process 1; false where none runs.
    /// @param ends whether it is not to be started again
    public boolean signal(int number, boolean ends) throws InterruptedException {
        Packet reply = ask(Requests.SIGNAL, number | (ends ? FINAL : 0));
        if (reply.argument() == Errno.ESRCH) {
            return false;
        }
        checked(reply);
        return true;
    }

    public MonitorState pause(boolean held) throws InterruptedException { // held: as long as this connection
        return stateOf(checked(ask(Requests.PAUSE, held ? HOLD : 0)));
    }

    public MonitorState resume() throws InterruptedException {
        return stateOf(checked(ask(Requests.UNPAUSE, 0)));
    }

    /// Writes to the program's standard input.
    /// @return how many bytes were taken; -1 if its input is closed. A notice [Topic#INPUT] follows unless all were
    public int write(byte[] bytes) throws InterruptedException {
        return input(0, bytes);
    }

    /// Closes the program's standard input.
    public void endInput() throws InterruptedException {
        input(END_OF_INPUT, new byte[0]);
    }

    private int input(int argument, byte[] bytes) throws InterruptedException {
        Packet reply = ask(Requests.STDIN, argument, bytes, List.of());
        if (reply.argument() == Errno.EPIPE) {
            return -1;
        }
        checked(reply);
        return reply.payload().length < 4
                ? bytes.length
                : ByteBuffer.wrap(reply.payload())
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getInt(0);
    }

    /// Changes the size of its terminal; nothing where it has none.
    public void resize(Terminal.Size size) throws InterruptedException {
        Packet reply = ask(Requests.RESIZE, size.rows() << 16 | size.columns());
        if (reply.argument() != Errno.ENOTTY) {
            checked(reply);
        }
    }

    /// Asks for notices.
    public MonitorState watch(boolean log, boolean state) throws InterruptedException {
        return stateOf(checked(ask(Requests.WATCH, (log ? WATCH_LOG : 0) | (state ? WATCH_STATE : 0))));
    }

    public MonitorState set(MonitorPolicy policy) throws InterruptedException {
        ByteBuffer payload = ByteBuffer.allocate(MonitorPolicy.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        policy.put(payload);
        return stateOf(checked(ask(Requests.SET, 0, payload.array(), List.of())));
    }

    /// Renews the lease; false if it has none.
    public boolean renew(Duration lease) throws InterruptedException {
        Packet reply = ask(Requests.RENEW, Math.clamp(lease.toMillis(), 1, Integer.MAX_VALUE));
        if (reply.argument() == Errno.EINVAL) {
            return false;
        }
        checked(reply);
        return true;
    }

    /// Programs of the container that it keeps or answers.
    public MonitorPrograms programs() {
        return new MonitorPrograms(this);
    }

    /// Ends the monitor, and with it mounts, locks and the writable layer.
    /// @param force kills the container first
    /// @return false if the container runs
    public boolean remove(boolean force) throws InterruptedException {
        Packet reply = ask(Requests.REMOVE, force ? FORCE : 0);
        if (reply.argument() == Errno.EBUSY) {
            return false;
        }
        checked(reply);
        return true;
    }

    /// Returns the program that it runs, if that is this build's and sealed; the caller's to close.
    public Optional<Fd> program() throws InterruptedException {
        Packet reply = ask(Requests.PROGRAM, 0);
        for (Fd file : reply.descriptors()) {
            if (reply.descriptors().size() == 1 && Zygote.isExecutable(file)) {
                return Optional.of(file);
            }
        }
        reply.close();
        return Optional.empty();
    }

    /// Returns the plan of the next start, with the words of its program: sealed, the caller's to close.
    /// @throws HostException MONITOR_VERSION if the monitor was started by a build that has no such request
    public Fd plan() throws InterruptedException {
        return given(Requests.PLAN, 0).orElseThrow(MonitorFailures::cannotRelink);
    }

    /// Has the container start with another plan and its links from the next start on.
    /// @return the state, of whose generation the former links are still; empty while a start is under way
    public Optional<MonitorState> relink(LaunchPlan plan) throws InterruptedException {
        try (Fd sealed = MemoryFile.sealed("caisson-plan", PlanCodec.encode(plan))) {
            Packet reply = ask(Requests.RELINK, 0, Link.encode(plan.links()), List.of(sealed));
            if (reply.argument() == Errno.EBUSY) {
                return Optional.empty();
            }
            if (reply.argument() == Errno.EOPNOTSUPP || reply.argument() == Errno.EPERM) {
                throw MonitorFailures.cannotRelink();
            }
            return Optional.of(stateOf(reply));
        }
    }

    /// Has it take values of secrets out of output by another `struct redaction_table`, which stays the caller's.
    public void redact(Fd table) throws InterruptedException {
        checked(ask(Requests.REDACT, 0, new byte[0], List.of(table)));
    }

    /// Has the container start in this network namespace of another one, until it has ended.
    public void network(Fd namespace) throws InterruptedException {
        checked(ask(Requests.NETWORK, 0, new byte[0], List.of(namespace)));
    }

    /// Has its policy start the container again in that namespace for as long as the other one's first process lives.
    /// A monitor of an earlier build, which has no such request, does so as long as the container has not ended.
    ///
    /// @param process pidfd of that process
    public void networkOwner(Fd process) throws InterruptedException {
        Packet reply = ask(Requests.OWNER, 0, new byte[0], List.of(process));
        if (reply.argument() != Errno.EOPNOTSUPP) {
            checked(reply);
        }
    }

    /// Returns a detached copy of the mount that each start gets for a slot of the plan. The caller's to close.
    /// @throws HostException MONITOR_VERSION if the monitor was started by a build that has no such request
    public Fd mount(int slot) throws InterruptedException {
        return given(Requests.MOUNT, slot).orElseThrow(MonitorFailures::showsNoFiles);
    }

    /// Returns the parts of the container's root: the mount that holds what it writes, then the directories of
    /// its image, topmost first. Each the caller's to close; none if the monitor holds none.
    /// @param most how many of them, at most
    public List<Fd> layers(int most) throws InterruptedException {
        var layers = new ArrayList<Fd>();
        try {
            for (int i = 0; i < most; i++) {
                Optional<Fd> layer = given(Requests.LAYER, i);
                if (layer.isEmpty()) {
                    break;
                }
                layers.add(layer.get());
            }
            return layers;
        } catch (RuntimeException | InterruptedException e) {
            layers.forEach(Fd::close);
            throw e;
        }
    }

    /// Returns the directory that its log has for itself, the caller's to close; empty if it has none.
    public Optional<Fd> output() throws InterruptedException {
        return given(Requests.OUTPUT, 0);
    }

    /// Returns the sockets of the run's resolver, each the caller's to close; empty if there are none. They keep
    /// the run's network namespace: whoever watches the container closes them when the run ends.
    public Optional<ResolverSockets> resolver() throws InterruptedException {
        Optional<Fd> udp = given(Requests.LEND, UDP);
        if (udp.isEmpty()) {
            return Optional.empty();
        }
        try {
            Optional<Fd> tcp = given(Requests.LEND, TCP);
            tcp.ifPresentOrElse(_ -> {}, udp.get()::close); // the run has ended between the two
            return tcp.map(listening -> new ResolverSockets(udp.get(), listening));
        } catch (RuntimeException | InterruptedException e) {
            udp.get().close();
            throw e;
        }
    }

    private Optional<Fd> given(int op, int argument) throws InterruptedException {
        Packet reply = ask(op, argument);
        if (reply.argument() == 0 && reply.descriptors().size() == 1) {
            return Optional.of(reply.descriptors().getFirst());
        }
        reply.close();
        if (reply.argument() == Errno.EOPNOTSUPP
                || reply.argument() == Errno.EINVAL
                || (op == Requests.LEND && reply.argument() == Errno.ESRCH)) {
            return Optional.empty();
        }
        checked(reply);
        throw MonitorFailures.protocol("gave no descriptor");
    }

    /// Waits for a notice.
    /// @return empty if none came in time
    /// @throws HostException MONITOR_GONE
    public Optional<Topic> notice(Duration patience) throws InterruptedException {
        return talk.notice(patience);
    }

    /// Kills the monitor, and with it the container; nothing if it is gone.
    public void kill() {
        talk.kill();
    }

    Packet ask(int op, int argument) throws InterruptedException {
        return ask(op, argument, new byte[0], List.of());
    }

    Packet ask(int op, int argument, byte[] payload, List<Fd> descriptors) throws InterruptedException {
        return talk.ask(op, argument, payload, descriptors);
    }

    static Packet checked(Packet reply) {
        if (reply.argument() != 0) {
            throw new HostException(
                    "MONITOR_REFUSED",
                    "the container's monitor could not do that (" + Errno.name(reply.argument()) + "): try again");
        }
        return reply;
    }

    private static MonitorState stateOf(Packet reply) {
        return MonitorState.decode(checked(reply).payload(), 0);
    }

    /// Whoever holds a start gives it up.
    @Override
    public void close() {
        talk.close();
    }
}
