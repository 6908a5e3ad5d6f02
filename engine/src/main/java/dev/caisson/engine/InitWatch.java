package dev.caisson.engine;

import dev.caisson.launch.InitFailures;
import dev.caisson.launch.LaunchException;
import dev.caisson.launch.Launched;
import dev.caisson.launch.Report;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.Sockets;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Reads what a container's first process reports on its control socket, and how it ends.
final class InitWatch {
    /// The first process of a container, as far as it is watched.
    ///
    /// @param goOn lets it go on that stands still
    /// @param hasCalledProgram whether it has run the program, or the program's process has
    record Init(Fd control, Fd pidfd, Runnable goOn, BooleanSupplier hasCalledProgram) {
        static Init of(Launched launched) {
            return new Init(launched.control(), launched.pidfd(), launched::start, launched::hasCalledProgram);
        }
    }

    private static final int SIGKILL = 9;

    private final Init init;
    private final List<Step> steps;
    private final Runnable paused;
    private final Runnable gone;
    private long controlKey;
    private long pidfdKey;
    private @Nullable Reactor reactor;
    private boolean pidfdWatched;
    private volatile @Nullable Consumer<Fd> listening;
    private volatile @Nullable Throwable lost;
    private volatile boolean left;
    private volatile boolean diedEarly;
    private volatile @Nullable Report exit;
    private volatile @Nullable LaunchException failure;
    private volatile Processes.@Nullable End end;
    private volatile long endedNanos;

    /// @param steps that it was given
    /// @param paused is run when init stands still in front of a step behind READY; then init goes on
    /// @param gone is run when it has ended and been reaped, and all that it said is known
    InitWatch(Init init, List<Step> steps, Runnable paused, Runnable gone) {
        this.init = init;
        this.steps = steps;
        this.paused = paused;
        this.gone = gone;
    }

    /// Sets who takes the listener of the program's filter, if that is to be reported.
    void listening(Consumer<Fd> taker) {
        listening = taker;
    }

    /// From here on the reactor tells what happens.
    synchronized void begin(Reactor by) {
        reactor = by;
        try {
            controlKey = by.watch(init.control(), this::readControl, this::lose);
            pidfdKey = by.watch(init.pidfd(), this::readEnd, this::lose);
            pidfdWatched = true;
        } catch (RuntimeException | Error e) {
            forget();
            throw e;
        }
    }

    /// Watches no more, in the reactor's thread, so that another process can read what it says.
    /// @return false if it has said how it ended, or has ended
    boolean pause() {
        if (exit != null || failure != null || lost != null || end != null) {
            return false;
        }
        forget();
        return true;
    }

    /// Watches it again that [#pause] left, in the reactor's thread; nothing if it is watched, or has ended.
    synchronized void resume(Reactor by) {
        if (!pidfdWatched && end == null) {
            begin(by);
        }
    }

    private synchronized void forget() {
        forgetControl();
        if (pidfdWatched && reactor != null) {
            pidfdWatched = false;
            reactor.forget(pidfdKey, init.pidfd());
        }
    }

    private synchronized void forgetControl() {
        if (reactor != null) {
            reactor.forget(controlKey, init.control());
        }
    }

    boolean hasEnded() {
        return end != null;
    }

    /// By [System#nanoTime], once it has ended.
    long endedNanos() {
        return endedNanos;
    }

    /// Returns why the program could not be run after all, or why its end is unknown.
    Optional<RuntimeException> failure() {
        Throwable why = lost;
        if (failure != null || why == null) {
            return Optional.ofNullable(failure);
        }
        return Optional.of(new EngineException(
                "CONTAINER_LOST",
                "the container was killed, because the engine could not watch it any more (" + why
                        + "): run it again, with more memory for this process if that was short",
                why));
    }

    /// True if init ended without a word before the program ran.
    boolean hasDiedEarly() {
        return diedEarly;
    }

    /// True if it may still be there to be reaped.
    boolean isLost() {
        return lost != null;
    }

    /// Returns the end of the program, as init reported it; of init itself if it was killed or did not stay.
    /// @throws IllegalStateException before its end
    Processes.End end() {
        Processes.End known = end;
        if (known == null) {
            throw new IllegalStateException("the container has not ended");
        }
        Report told = exit;
        return told == null ? known : new Processes.End(told.exitCode(), told.signal());
    }

    /// Returns what the program and the processes that it waited for used; empty if init did not report it.
    Optional<Report> told() {
        return Optional.ofNullable(exit);
    }

    /// Returns the obstacles of a program that failed, as far as init stayed to see them.
    List<Obstacle> obstacles() {
        Report told = exit;
        return told == null ? List.of() : Obstacle.of(told.detail());
    }

    /// @return whether there was a report
    private boolean readReport() {
        Optional<Sockets.Message> received = Sockets.receiveNow(init.control(), Report.BYTES);
        if (received.isEmpty()) {
            return false;
        }
        try (Sockets.Message message = received.get()) {
            if (message.isEnd()) {
                forgetControl();
                return false;
            }
            Report report = Report.decode(message.bytes());
            switch (report.kind()) {
                case EXIT -> exit = report;
                case ERROR -> failure = InitFailures.of(steps, report);
                case PAUSED -> {
                    paused.run();
                    init.goOn().run();
                }
                case LISTENER -> take(message.descriptors());
                case CONSOLE, READY, NAMESPACE, RESOLVER, OPENED -> {}
            }
            return true;
        }
    }

    /// It comes once; the caller closes what is not taken.
    private void take(List<Fd> descriptors) {
        Consumer<Fd> taker = listening;
        listening = null;
        if (taker != null && descriptors.size() == 1) {
            taker.accept(new Fd(descriptors.getFirst().release()));
        }
    }

    private void readControl() {
        readReport();
    }

    private void readEnd() {
        if (!Processes.hasEnded(init.pidfd())) {
            return;
        }
        // What init said before it ended may still be in the socket.
        boolean more;
        do {
            more = readReport();
        } while (more);
        diedEarly = exit == null && failure == null && !init.hasCalledProgram().getAsBoolean();
        Processes.End reaped = Processes.reapNow(init.pidfd());
        end(reaped == null ? new Processes.End(0, SIGKILL) : reaped);
    }

    /// Watches no more, in any thread, and ends the process.
    ///
    /// @param kill may close its descriptors while the reactor still reads them
    void leave(Runnable kill) {
        left = true;
        Reactor.guard(this::forget);
        kill.run();
    }

    /// A container that cannot be watched any more is ended.
    private void lose(Throwable why) {
        if (left) {
            return;
        }
        lost = why;
        try {
            Processes.signal(init.pidfd(), SIGKILL);
        } finally {
            end(new Processes.End(0, SIGKILL));
        }
    }

    private void end(Processes.End how) {
        forget();
        endedNanos = System.nanoTime();
        end = how;
        gone.run();
    }
}
