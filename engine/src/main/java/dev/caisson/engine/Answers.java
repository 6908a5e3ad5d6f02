package dev.caisson.engine;

import dev.caisson.launch.Launched;
import dev.caisson.linux.Fd;
import dev.caisson.seccomp.LearnedProfile;
import dev.caisson.spec.Denial;
import dev.caisson.watch.DenialLog;
import dev.caisson.watch.SyscallRecorder;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Answers one container's filter; does nothing if the filter asks about no call.
final class Answers {
    private volatile Optional<DenialLog> log = Optional.empty();

    /// Has it answer, at the pace of what else is spent on the container, and write down what it denies.
    void by(DenialLog answering, StandardStreams streams) {
        answering.pace(streams.pace());
        log = Optional.of(answering);
        streams.kept().ifPresent(kept -> answering.tell(() -> kept.denied(answering::noted)));
    }

    /// Returns the calls that the filter asked about; empty if it does not ask about every call.
    Optional<Supplier<SyscallRecorder.Recording>> recording() {
        return log.flatMap(DenialLog::recording);
    }

    /// Lets the program run, which hands over its filter's listener if it can.
    /// @return false if its first process has died
    boolean start(Launched launched) {
        boolean asks = log.filter(DenialLog::isHandedOver).isPresent();
        return asks ? launched.startAsking() : launched.start();
    }

    /// Answers from then on by the listener that the program has handed over.
    void begin(Fd listener, Runnable fail) {
        log.ifPresentOrElse(answering -> answering.begin(listener, fail), listener::close);
    }

    /// Waits until the program comes to its filter, and answers from then on, unless it hands the listener over.
    void begin(int pid, boolean initStays, BooleanSupplier ended, Runnable fail) {
        log.filter(answering -> !answering.isHandedOver())
                .ifPresent(answering -> answering.begin(pid, initStays, ended, fail));
    }

    void stop() {
        log.ifPresent(DenialLog::close);
    }

    List<Denial> denials() {
        return log.map(DenialLog::denials).orElse(List.of());
    }

    Optional<LearnedProfile> learned() {
        return log.flatMap(DenialLog::learned);
    }
}
