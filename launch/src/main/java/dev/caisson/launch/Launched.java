package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import dev.caisson.linux.Terminal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A container that stands and waits for its start.
public final class Launched implements AutoCloseable {
    private static final byte[] START = {1};
    private static final byte[] START_ALONE = {3};
    private static final byte[] START_ASKING = {4};
    private static final byte[] START_ALONE_ASKING = {5};
    private static final int SIGKILL = 9;
    private static final long MOST_NANOS_OF_A_CALL = 10_000_000_000L;
    private static final long PAUSE_NANOS = 100_000;
    /// Offset of `called` in plan.h's `struct start`.
    private static final long START_CALLED = 4;
    private static final int DYING_LOOKS = 4;
    private static final long DYING_PAUSE_NANOS = 5_000_000;
    private static final int UDP = 17;
    private static final int TCP = 6;

    private final int pid;
    private final Fd pidfd;
    private final Fd control;
    private Optional<Fd> console = Optional.empty();
    private @Nullable Fd start;
    private final Map<Integer, Fd> resolver = new HashMap<>();
    private final Map<Integer, Fd> lent = new HashMap<>();
    private List<Integer> phaseMicros = List.of();

    Launched(Zygote.Child child, Fd control) {
        this.pid = child.pid();
        this.pidfd = child.pidfd();
        this.control = control;
    }

    /// Takes what came with a report; the caller closes what is left.
    void keep(Report report, List<Fd> descriptors) {
        if (descriptors.size() != 1) {
            return;
        }
        if (report.kind() == Report.Kind.CONSOLE) {
            console = Optional.of(new Fd(descriptors.getFirst().release()));
        } else if (report.kind() == Report.Kind.READY) {
            start = new Fd(descriptors.getFirst().release());
        } else if (report.kind() == Report.Kind.RESOLVER && !resolver.containsKey(report.detail())) {
            resolver.put(report.detail(), new Fd(descriptors.getFirst().release()));
        } else if (report.kind() == Report.Kind.OPENED && !lent.containsKey(report.step())) {
            lent.put(report.step(), new Fd(descriptors.getFirst().release()));
        }
    }

    void isReady(List<Integer> micros) {
        phaseMicros = micros;
    }

    /// Returns the pid of the container's process 1, as this process sees it. Valid until it is reaped.
    public int pid() {
        return pid;
    }

    public Fd pidfd() {
        return pidfd;
    }

    /// Returns the socket of reports: the exit of the program.
    public Fd control() {
        return control;
    }

    /// The terminal's master, where one was asked for.
    public Optional<Fd> console() {
        return console;
    }

    /// Returns the sockets of [Step.Resolver], which stay this object's, if the plan has that step. While one
    /// of them or a copy is open, the kernel keeps the container's network namespace.
    public Optional<ResolverSockets> resolver() {
        Fd udp = resolver.get(UDP);
        Fd tcp = resolver.get(TCP);
        return udp == null || tcp == null ? Optional.empty() : Optional.of(new ResolverSockets(udp, tcp));
    }

    /// Hands over what a step opened; the caller's to close.
    ///
    /// @param step its place in the plan
    /// @throws HostException INIT_PROTOCOL if nothing came
    Fd takeLent(int step) {
        Fd taken = lent.remove(step);
        if (taken == null) {
            throw new HostException("INIT_PROTOCOL", "init did not send what step " + step + " opened");
        }
        return taken;
    }

    /// How long init took for each phase, in microseconds.
    public List<Integer> phaseMicros() {
        return phaseMicros;
    }

    /// True if init, or its child, has called execveat(2): before, nothing of the program has run. It stays
    /// known when init is killed before it could tell.
    public boolean hasCalledProgram() {
        Fd file = start;
        var called = new byte[Integer.BYTES];
        return file != null && FileContent.readAt(file, called, START_CALLED) == called.length && called[0] == 1;
    }

    /// Waits until init has called the program, or has ended: a process that is to outlive this one is killed with it
    /// before. Gives up after a while, as one that is paused calls nothing.
    public void awaitCall() {
        long begun = System.nanoTime();
        while (!hasCalledProgram() && !Processes.hasEnded(pidfd) && System.nanoTime() - begun < MOST_NANOS_OF_A_CALL) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /// Lets init run the program.
    /// @return false if init has died; what it said before is still on the control socket
    public boolean start() {
        return say(START);
    }

    /// Like [#start], of a program under a filter that asks: a report brings the listener before it runs.
    public boolean startAsking() {
        return say(START_ASKING);
    }

    /// Like [#start], of a process that outlives this one: whoever has a copy of its control socket keeps it.
    /// @param asks whether the listener of its filter is to be reported
    public boolean startAlone(boolean asks) {
        return say(asks ? START_ALONE_ASKING : START_ALONE);
    }

    private boolean say(byte... word) {
        try {
            Sockets.send(control, word, List.of());
            return true;
        } catch (ErrnoException e) {
            if (Sockets.isClosed(e)) {
                return false;
            }
            throw e;
        }
    }

    /// Sends a signal to it; false if it has ended or is closed. Whoever closes it holds its lock meanwhile, so that no
    /// other process gets the signal.
    public synchronized boolean signal(int number) {
        return pidfd.isOpen() && Processes.signal(pidfd, number);
    }

    /// Has a process that has entered a container kill its program, reap it and exit. It does so at once, unless it is
    /// frozen.
    public synchronized void hangUp() {
        if (control.isOpen()) {
            Sockets.endSending(control);
        }
    }

    /// Changes the size of its terminal; nothing where it has none, or is closed.
    public void resize(Terminal.Size size) {
        console.filter(Fd::isOpen).ifPresent(open -> Terminal.resize(open, size));
    }

    /// Leaves it to run on, closes all that is held of it, and reaps it when it has ended, if this process lives by
    /// then.
    public void leave() {
        control.close();
        Thread.ofPlatform().daemon().name("caisson-left-exec").start(() -> {
            try {
                reap();
            } finally {
                close();
            }
        });
    }

    /// Ends it before its start.
    public void abandon() {
        try {
            Processes.signal(pidfd, SIGKILL);
            reap();
        } finally {
            close();
        }
    }

    /// Ends it before its start, because of a failure.
    /// @return that failure, or INIT_DIED if init was dead already, which explains all that failed after it
    public RuntimeException abandon(RuntimeException failure) {
        RuntimeException why = failure;
        try {
            if (hasDied()) {
                why = InitFailures.died();
                why.addSuppressed(failure);
            }
            abandon();
        } catch (RuntimeException e) {
            why.addSuppressed(e);
        }
        return why;
    }

    /// One that is being killed may still look alive for some time.
    private boolean hasDied() {
        for (int looks = 0; looks < DYING_LOOKS; looks++) {
            if (Processes.hasEnded(pidfd) || Processes.isBeingKilled(pid)) {
                return true;
            }
            LockSupport.parkNanos(DYING_PAUSE_NANOS);
        }
        return false;
    }

    /// Somebody who watches it may have done it before.
    private void reap() {
        try {
            Processes.reap(pidfd);
        } catch (ErrnoException e) {
            if (!e.is(Errno.ECHILD)) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        pidfd.close();
        control.close();
        console.ifPresent(Fd::close);
        resolver.values().forEach(Fd::close);
        lent.values().forEach(Fd::close);
        if (start != null) {
            start.close();
        }
    }
}
