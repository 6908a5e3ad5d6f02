package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor.Topic;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// What goes over the socket of a monitor: requests, each with its answer, and notices between them, which wait.
final class Conversation implements AutoCloseable {
    private static final int MOST_BYTES = 65_536;
    private static final int REPLY = 0x8000;
    private static final int NOTICE = 0x4000;
    private static final int NOTICE_GREW = 0x4001;
    private static final int NOTICE_STATE = 0x4002;
    private static final int SIGKILL = 9;
    private static final long LOOK_MILLIS = 200;
    private static final int MOST_NOTICES = 64;

    private final Fd socket;
    private final Silence.Bounds bounds;
    private final Deque<Topic> notices = new ArrayDeque<>();
    private int sequence;
    private boolean heedsInterrupts = true;
    private boolean wasInterrupted;

    /// @param first the number of the first request
    Conversation(Fd socket, int first, Silence.Bounds bounds) {
        this.socket = socket;
        this.sequence = first;
        this.bounds = bounds;
        Sockets.receiveTimeout(socket, LOOK_MILLIS);
    }

    /// Waits for a notice.
    /// @return empty if none came in time
    /// @throws HostException MONITOR_GONE
    Optional<Topic> notice(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (notices.isEmpty()) {
            if (System.nanoTime() >= deadline) {
                return Optional.empty();
            }
            receive().ifPresent(this::note);
        }
        return Optional.of(notices.removeFirst());
    }

    private void note(Packet packet) {
        Topic topic = switch (packet.op()) {
            case NOTICE_GREW -> Topic.LOG;
            case NOTICE_STATE -> Topic.STATE;
            default -> Topic.INPUT;
        };
        if (notices.size() < MOST_NOTICES && !notices.contains(topic)) {
            notices.addLast(topic);
        }
    }

    /// Like [#ask], for what cannot be taken back: who is interrupted while it is under way waits for the answer, and
    /// is interrupted afterwards.
    ///
    /// @throws InterruptedException if the thread was interrupted before; then nothing was sent
    Packet askToTheEnd(int op, byte[] payload, List<Fd> descriptors) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        heedsInterrupts = false;
        try {
            return ask(op, 0, payload, descriptors);
        } finally {
            heedsInterrupts = true;
            if (wasInterrupted) {
                wasInterrupted = false;
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Makes a request, and waits for its answer.
    /// @throws HostException MONITOR_GONE, MONITOR_SILENT, MONITOR_PROTOCOL
    Packet ask(int op, int argument, byte[] payload, List<Fd> descriptors) throws InterruptedException {
        int number = sequence++;
        try {
            Sockets.send(socket, Packet.encode(op, number, argument, payload), descriptors);
        } catch (ErrnoException e) {
            if (e.is(Errno.EAGAIN)) {
                throw MonitorFailures.silent(Sockets.peerPid(socket), bounds.answer());
            }
            throw Sockets.isClosed(e) ? MonitorFailures.gone() : e;
        }
        var silence = new Silence(op, Sockets.peerPid(socket), bounds);
        while (true) {
            Optional<Packet> packet = receive();
            if (packet.isEmpty()) {
                silence.check();
                continue;
            }
            if (packet.get().op() < REPLY && (packet.get().op() & NOTICE) != 0) {
                note(packet.get());
                packet.get().close();
            } else if (packet.get().sequence() == number && packet.get().op() == (op | REPLY)) {
                if (!Requests.isForDescriptor(op)) {
                    packet.get().close(); // a start's process is found by its number
                }
                return packet.get();
            } else {
                packet.get().close();
                throw MonitorFailures.protocol("answered what was not asked");
            }
        }
    }

    /// Empty after a while in which nothing came.
    private Optional<Packet> receive() throws InterruptedException {
        if (Thread.interrupted()) {
            if (heedsInterrupts) {
                throw new InterruptedException();
            }
            wasInterrupted = true;
        }
        Sockets.Message message;
        try {
            message = Sockets.receive(socket, MOST_BYTES);
        } catch (ErrnoException e) {
            if (e.is(Errno.EAGAIN)) {
                return Optional.empty();
            }
            throw e;
        }
        try {
            if (message.isEnd()) {
                throw MonitorFailures.gone();
            }
            return Optional.of(Packet.decode(message.bytes(), message.descriptors()));
        } catch (RuntimeException e) {
            message.close();
            throw e;
        }
    }

    /// Kills the monitor, and with it the container; nothing if it is gone.
    void kill() {
        int pid = Sockets.peerPid(socket);
        if (pid == ProcessHandle.current().pid()) { // the pair of a monitor that is being set up
            throw new IllegalStateException("the other end of the connection is this process");
        }
        try (Fd process = Processes.open(pid)) {
            Optional<Sockets.Message> message = Sockets.receiveNow(socket, MOST_BYTES);
            message.ifPresent(Sockets.Message::close);
            if (message.filter(Sockets.Message::isEnd).isEmpty()) { // nobody else has its number yet
                boolean _ = Processes.signal(process, SIGKILL);
            }
        } catch (ErrnoException e) {
            if (!e.is(Errno.ESRCH)) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
