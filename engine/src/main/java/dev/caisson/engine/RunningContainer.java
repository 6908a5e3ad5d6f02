package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.linux.Processes;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A container that runs, whichever process runs it: what any process of the host may ask of it.
///
/// Its process 1 is signalled by a descriptor that was checked against the start time in the container's record, so a
/// pid that is used again is never hit.
public final class RunningContainer {
    private static final int SIGKILL = 9;
    private static final Duration KILL_PATIENCE = Duration.ofSeconds(30);
    private static final long PAUSE_MILLIS = 10;

    private final EngineOptions options;
    private final ContainerRecord record;

    private RunningContainer(EngineOptions options, ContainerRecord record) {
        this.options = options;
        this.record = record;
    }

    /// Finds one by its name or the beginning of its id.
    /// @throws EngineException CONTAINER_AMBIGUOUS
    public static Optional<RunningContainer> find(String container, EngineOptions options) {
        return Lookup.find(container, options)
                .flatMap(id -> State.running(id, options.state()))
                .map(record -> new RunningContainer(options, record));
    }

    public ContainerId id() {
        return new ContainerId(record.id());
    }

    public String name() {
        return record.name();
    }

    /// Returns its process 1, as the host sees it.
    public int pid() {
        return record.pid();
    }

    /// Returns the signal that asks it to end.
    public int stopSignal() {
        return record.stopSignal();
    }

    /// Returns how long it has to end before it is killed.
    public Duration stopTimeout() {
        return Duration.ofMillis(record.stopMillis());
    }

    /// Sends a signal to its process 1, which passes it on to the program where a small init stays; false if it has
    /// ended.
    public boolean signal(int number) {
        try (Fd process = Processes.open(record.pid())) {
            // Looked at after the descriptor was opened, which then stands for the process that was looked at.
            return ProcessTimes.isRunning(record.pid(), record.startTime())
                    && Processes.signal(process, SignalNumber.require(number));
        } catch (ErrnoException e) {
            if (e.is(Errno.ESRCH) || e.is(Errno.ENOENT)) {
                return false;
            }
            throw e;
        }
    }

    /// Asks it to end, and kills it if it has not ended in time.
    ///
    /// @param signal in place of its own stop signal
    /// @param timeout in place of its own; zero kills it at once
    /// @throws EngineException CONTAINER_RUNNING if it cannot be killed
    public void stop(OptionalInt signal, Optional<Duration> timeout) throws InterruptedException {
        Duration patience = timeout.orElse(Duration.ofMillis(record.stopMillis()));
        if (patience.isPositive()) {
            signal(signal.orElse(record.stopSignal()));
        }
        if (!awaitEnd(patience)) {
            kill();
        }
    }

    /// Kills every process of it, paused ones too, and waits until it has ended.
    /// @throws EngineException CONTAINER_RUNNING if it cannot be killed
    public void kill() throws InterruptedException {
        signal(SIGKILL);
        killGroup();
        if (!awaitEnd(KILL_PATIENCE)) {
            throw new EngineException(
                    "CONTAINER_RUNNING",
                    "the container " + id().shortForm() + " has not ended within " + KILL_PATIENCE.toSeconds()
                            + " seconds of being killed: one of its processes waits in the kernel");
        }
    }

    /// Frozen processes do not die in version 1, and what is below the group ends with it.
    private void killGroup() {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            hierarchy.find(record.cgroupParent(), record.id()).ifPresent(group -> group.kill());
        } catch (CgroupException e) {
            if (e.reason() != CgroupException.Code.NO_SUCH_GROUP) { // its engine removes it now
                throw e;
            }
        }
    }

    /// Lists its processes, as the host sees them.
    public List<ContainerProcess> processes() {
        Instant boot = Instant.now().minusMillis(uptimeMillis());
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            return hierarchy
                    .find(record.cgroupParent(), record.id())
                    .map(group -> group.processes().stream()
                            .sorted()
                            .map(pid -> ContainerProcess.read(Math.toIntExact(pid), boot))
                            .flatMap(Optional::stream)
                            .toList())
                    .orElse(List.of());
        }
    }

    /// Returns the ids, as events have them, of further programs that run in it, or have left processes behind.
    public List<String> execs() {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            return hierarchy.find(record.cgroupParent(), record.id()).map(Cgroup::busyParts).orElse(List.of()).stream()
                    .map(ExecName::id)
                    .flatMap(Optional::stream)
                    .toList();
        }
    }

    private static long uptimeMillis() {
        try {
            String text = ByteText.read(java.nio.file.Path.of("/proc/uptime"));
            return (long) (1000 * Double.parseDouble(text.substring(0, text.indexOf(' '))));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /// Waits until its engine has removed it, which then has written how it ended.
    /// @return false if it still runs after that time
    public boolean awaitEnd(Duration patience) throws InterruptedException {
        long begun = System.nanoTime();
        while (State.isRecorded(options.state(), record)) {
            if (System.nanoTime() - begun >= patience.toNanos()) {
                return false;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        return true;
    }
}
