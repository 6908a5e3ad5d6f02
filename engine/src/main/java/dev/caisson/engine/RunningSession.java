package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.Snapshot;
import dev.caisson.image.SnapshotName;
import dev.caisson.launch.Step;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A session of an engine: a container without a program, a file service, and a clock for its lease.
final class RunningSession implements Session {
    /// The name that its first process has in place of a program.
    private static final String NO_PROGRAM = "caisson-session";

    private final Container container;
    private final Reactor reactor;
    private final Optional<Duration> lease;
    private final SessionSnapshots snapshots;
    private Reactor.@Nullable Timer clock;

    RunningSession(Container container, Reactor reactor, Optional<Duration> lease, SessionSnapshots snapshots) {
        this.snapshots = snapshots;
        this.container = container;
        this.reactor = reactor;
        this.lease = lease;
        setClock();
    }

    /// Returns the spec of a container that waits.
    /// @throws EngineException SESSION_PROGRAM, SESSION_TERMINAL
    static ContainerSpec waiting(ContainerSpec spec) {
        if (!spec.command().isEmpty()) {
            throw new EngineException(
                    "SESSION_PROGRAM",
                    "a session has no program of its own, but its spec names "
                            + spec.command().getFirst() + ": run it with exec");
        }
        if (spec.terminal().isPresent() || spec.interactive()) {
            throw new EngineException(
                    "SESSION_TERMINAL", "a session has no terminal and no input of its own: ask for them in exec");
        }
        return spec.entrypoint(List.of(NO_PROGRAM)).init(true);
    }

    static Duration requireLease(Duration lease) {
        if (!lease.isPositive()) {
            throw ArgumentException.invalid("the lease " + lease + " is not positive");
        }
        return lease;
    }

    private synchronized void setClock() {
        Reactor.Timer former = clock;
        if (former != null) {
            former.cancel();
        }
        clock = lease.map(time -> reactor.at(System.nanoTime() + saturated(time), container::kill))
                .orElse(null);
    }

    private static long saturated(Duration time) {
        return time.compareTo(Duration.ofDays(36_500)) > 0
                ? Duration.ofDays(36_500).toNanos()
                : time.toNanos();
    }

    @Override
    public ContainerId id() {
        return container.id();
    }

    @Override
    public String name() {
        return container.name();
    }

    @Override
    public ExecResult exec(Exec exec) throws InterruptedException {
        return exec(exec, Streams.capture());
    }

    @Override
    public ExecResult exec(Exec exec, Streams streams) throws InterruptedException {
        present(exec, "exec");
        present(streams, "streams");
        requireRunning();
        return container.startExec(withVariables(exec), streams).awaitOrClose();
    }

    /// A session has no program in which they could be read.
    private Exec withVariables(Exec exec) {
        Exec all = exec;
        for (String variable : container.plan().only(Step.Execute.class).environment()) {
            int equals = variable.indexOf('=');
            String name = variable.substring(0, equals);
            boolean others = name.equals("HOME") && exec.user().isPresent();
            if (!others && !exec.environment().containsKey(name)) {
                all = all.environment(name, variable.substring(equals + 1));
            }
        }
        return all;
    }

    @Override
    public ContainerFiles files() {
        requireRunning();
        return container.files();
    }

    @Override
    public Snapshot snapshot(String name) {
        var parsed = new SnapshotName(present(name, "name"));
        requireRunning();
        return Failures.call(() -> snapshots.take(container, parsed));
    }

    @Override
    public void renew() {
        requireRunning();
        setClock();
    }

    private void requireRunning() {
        if (!isRunning()) {
            throw new EngineException("CONTAINER_NOT_RUNNING", "the session " + name() + " has ended: open another");
        }
    }

    @Override
    public boolean isRunning() {
        return !container.hasEnded() && !container.wasEnded();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (clock != null) {
                clock.cancel();
            }
        }
        container.close();
    }
}
