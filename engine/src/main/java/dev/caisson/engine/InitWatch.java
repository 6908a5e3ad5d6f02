package dev.caisson.engine;

import dev.caisson.launch.LaunchException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Report;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a container's first process says on its control socket, and how it ends.
final class InitWatch {
    private final Launcher.Launched launched;
    private final LaunchPlan plan;
    private final Runnable paused;
    private final Runnable gone;
    private long controlKey;
    private long pidfdKey;
    private volatile @Nullable Report exit;
    private volatile @Nullable LaunchException failure;
    private volatile Processes.@Nullable End end;
    private volatile long endedNanos;

    /// @param paused is run when init stands still in front of a step behind READY; then init goes on
    /// @param gone is run when it has ended and been reaped, and all that it said is known
    InitWatch(Launcher.Launched launched, LaunchPlan plan, Runnable paused, Runnable gone) {
        this.launched = launched;
        this.plan = plan;
        this.paused = paused;
        this.gone = gone;
    }

    /// From here on the reactor tells what happens.
    void begin(Reactor reactor) {
        controlKey = reactor.watch(launched.control(), () -> readControl(reactor));
        pidfdKey = reactor.watch(launched.pidfd(), () -> readEnd(reactor));
    }

    boolean hasEnded() {
        return end != null;
    }

    /// By [System#nanoTime], once it has ended.
    long endedNanos() {
        return endedNanos;
    }

    /// Why the program could not be run after all.
    Optional<LaunchException> failure() {
        return Optional.ofNullable(failure);
    }

    /// Of the program, as init told it; of init itself where it was killed or did not stay.
    /// @throws IllegalStateException before its end
    Processes.End end() {
        Processes.End known = end;
        if (known == null) {
            throw new IllegalStateException("the container has not ended");
        }
        Report told = exit;
        return told == null ? known : new Processes.End(told.exitCode(), told.signal());
    }

    /// @return whether there was a report
    private boolean readControl(Reactor reactor) {
        if (!launched.control().isOpen()) {
            return false;
        }
        Optional<Sockets.Message> received = Sockets.receiveNow(launched.control(), Report.BYTES);
        if (received.isEmpty()) {
            return false;
        }
        try (Sockets.Message message = received.get()) {
            if (message.isEnd()) {
                reactor.forget(controlKey, launched.control());
                return false;
            }
            Report report = Report.decode(message.bytes());
            switch (report.kind()) {
                case EXIT -> exit = report;
                case ERROR -> failure = Launcher.failure(plan, report);
                case PAUSED -> {
                    paused.run();
                    launched.start();
                }
                case CONSOLE, READY -> {}
            }
            return true;
        }
    }

    private void readEnd(Reactor reactor) {
        Processes.End reaped = Processes.reapNow(launched.pidfd());
        if (reaped == null) {
            return;
        }
        reactor.forget(pidfdKey, launched.pidfd());
        // What init said before it ended may still be in the socket.
        boolean more;
        do {
            more = readControl(reactor);
        } while (more);
        reactor.forget(controlKey, launched.control());
        endedNanos = System.nanoTime();
        end = reaped;
        gone.run();
    }
}
