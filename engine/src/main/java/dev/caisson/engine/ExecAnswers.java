package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Events;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Fd;
import dev.caisson.spec.Denial;
import dev.caisson.watch.DenialLog;
import java.util.List;
import java.util.Optional;

/// Knows what one more program of a container was denied: it answers the program's filter, and compares how often the
/// container's limits had to act. Without a log the filter asks nobody.
final class ExecAnswers {
    private static final Events NONE = new Events(0, 0);

    private final Cgroup group;
    private final Optional<DenialLog> log;
    private final Events before;

    /// @param group the container's
    ExecAnswers(Cgroup group, Optional<DenialLog> log) {
        this.group = group;
        this.log = log;
        this.before = group.events();
    }

    boolean isOfSameContainer(ExecAnswers other) {
        return group.path().equals(other.group.path());
    }

    boolean asks() {
        return log.isPresent();
    }

    /// Has its work count with what else is done for the program.
    void pace(StandardStreams streams) {
        log.ifPresent(answering -> answering.pace(streams.pace()));
    }

    /// Takes the listener before the program runs.
    void begin(Fd listener, Runnable fail) {
        log.ifPresentOrElse(answering -> answering.begin(listener, fail), listener::close);
    }

    List<Denial> denials() {
        return log.map(DenialLog::denials).orElse(List.of());
    }

    /// Returns how often the limits of the container have acted since the program began; never, if the
    /// container is gone.
    Events met() {
        try {
            Events now = group.events();
            return new Events(now.oomKills() - before.oomKills(), now.pidsRefused() - before.pidsRefused());
        } catch (CgroupException e) {
            if (e.reason() == CgroupException.Code.NO_SUCH_GROUP) {
                return NONE;
            }
            throw e;
        }
    }

    /// Passes the filter on to the container's monitor. A thread that is interrupted meanwhile still is
    /// afterwards: the monitor has been asked, and this one no longer answers.
    /// @return false if the monitor does not answer it
    /// @throws dev.caisson.launch.HostException MONITOR_VERSION if the monitor answers nobody
    boolean handOver(Monitor monitor) {
        return log.isEmpty()
                || log.get()
                        .handOver(listener -> Failures.uninterrupted(
                                        () -> monitor.programs().answer(listener))
                                .orElse(true));
    }

    /// Returns whether somebody is left under the filter, who may ask.
    boolean isAsked() {
        return log.filter(DenialLog::isAsked).isPresent();
    }

    void close() {
        log.ifPresent(DenialLog::close);
    }
}
