package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.Processes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import dev.caisson.state.Places;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;

/// The removal of a container that outlives its command: its monitor ends with it, then what it left goes.
///
/// @param force kills it first if it runs
/// @param volumes removes its anonymous volumes too, as always of one of which nothing is kept at its end
record DetachedRemoval(DetachedPlace place, boolean force, boolean volumes) {
    private static final int SIGKILL = 9;
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /// A question that is asked under the container's lock.
    interface Condition {
        boolean holds() throws InterruptedException;
    }

    /// Removes one that was to be removed at its end, if that has come, or whose lease is over, whether or not it was
    /// ever started.
    /// @return whether it is gone
    static boolean ifUnwanted(DetachedPlace place) throws InterruptedException {
        return isUnwanted(place) && new DetachedRemoval(place, false, true).runIf(() -> isUnwanted(place));
    }

    /// What it says is sure under the container's lock: without it, somebody may give the container another name.
    private static boolean isUnwanted(DetachedPlace place) throws InterruptedException {
        Optional<DetachedFile> file = place.findFile();
        if (file.isEmpty()) {
            return false;
        }
        DetachedOptions options = file.get().options();
        ContainerState state = place.told().map(ToldState::of).orElseGet(place::lastState);
        boolean ended = state instanceof ContainerState.Exited || state instanceof ContainerState.Lost;
        boolean abandoned = options.lease().isPresent() && !place.hasMonitor(); // nobody can renew it
        boolean unwanted = options.removedAtEnd()
                || place.known().filter(MonitorState::isLeaseOver).isPresent()
                || abandoned;
        boolean neverStarted = state instanceof ContainerState.Created && abandoned && !place.isHeld();
        return neverStarted || (ended && unwanted);
    }

    /// @throws EngineException CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING, CONTAINER_UNKNOWN
    void run() throws InterruptedException {
        boolean _ = runIf(() -> true);
    }

    /// Removes it if the condition holds under its lock.
    /// @return whether it is gone
    boolean runIf(Condition condition) throws InterruptedException {
        var gone = new AtomicBoolean();
        place.askAlone(held -> {
            if (!condition.holds()) {
                return;
            }
            Optional<Monitor> found = connect(held);
            if (found.isPresent()) {
                try (Monitor monitor = found.get()) {
                    end(monitor, held);
                }
            }
            List<VolumeName> had = volumes || keepsNothing() ? named(held.kept()) : List.of();
            place.remove();
            if (!had.isEmpty()) {
                Volumes.of(place.options()).removeAnonymous(had);
            }
            gone.set(true);
        });
        return gone.get();
    }

    /// Kills by force a monitor that takes no connection, as one that has stood still while many asked it.
    private Optional<Monitor> connect(DetachedHold held) {
        try {
            return place.connect();
        } catch (HostException e) {
            if (!force || !MonitorFailures.isSilent(e)) {
                throw e;
            }
            DetachedFile.wants(held.kept(), false);
            kill();
            return place.connect(); // nobody listens any more
        }
    }

    /// Returns whether it runs, as far as its monitor shows that: one that stands still is not asked.
    private boolean isShownUp() {
        var up = new AtomicBoolean();
        look((_, shown) -> up.set(shown.isUp()));
        return up.get();
    }

    /// Kills the monitor by the number that it shows, and with it the container; nothing if it shows none or is gone.
    private void kill() {
        look((status, shown) -> {
            try (Fd process = Processes.open(shown.monitorPid())) {
                if (FileLocks.isLocked(status)) { // it lives, so nobody else had its number when that was opened
                    boolean _ = Processes.signal(process, SIGKILL);
                }
            }
        });
    }

    /// Hands over the file that the monitor holds, and the state that it shows there; does nothing if it is gone.
    private void look(BiConsumer<Fd, MonitorState> act) {
        Optional<Fd> places = Places.openAll(place.options().state());
        if (places.isEmpty()) {
            return;
        }
        try (Fd all = places.get();
                Fd status = Look.openStatus(all, place.file().place())) {
            Look.read(status).ifPresent(shown -> act.accept(status, shown));
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT) && !e.is(Errno.ESRCH)) {
                throw e;
            }
        }
    }

    private boolean keepsNothing() {
        return place.findFile().filter(file -> file.options().removedAtEnd()).isPresent();
    }

    private static List<VolumeName> named(Fd kept) {
        return KeptSpec.read(kept).map(ContainerSpec::mounts).orElse(List.of()).stream()
                .filter(Mount.Volume.class::isInstance)
                .flatMap(mount -> ((Mount.Volume) mount).name().stream())
                .toList();
    }

    private void end(Monitor monitor, DetachedHold held) throws InterruptedException {
        if (!force) {
            requireLegal(monitor);
        } else if (isShownUp()) {
            place.note("kill", Map.of("signal", Integer.toString(SIGKILL)));
        }
        // With another policy a start of the host asks at most whether it was ever started.
        if (place.file().options().restart().kind() == RestartPolicy.Kind.UNLESS_STOPPED) {
            DetachedFile.wants(held.kept(), false);
        }
        if (!isEnding(monitor)) {
            requireLegal(monitor);
        }
        awaitEnd(monitor);
    }

    /// Ends a monitor that does not answer by force: it takes the container along.
    private boolean isEnding(Monitor monitor) throws InterruptedException {
        try {
            return monitor.remove(force);
        } catch (HostException e) {
            if (!force || !MonitorFailures.isSilent(e)) {
                throw e;
            }
            monitor.kill();
            return true;
        }
    }

    private void requireLegal(Monitor monitor) throws InterruptedException {
        ToldState.of(monitor.state()).require(ContainerState.Operation.REMOVE, place.name());
    }

    private void awaitEnd(Monitor monitor) throws InterruptedException {
        long begun = System.nanoTime();
        try {
            while (System.nanoTime() - begun < PATIENCE.toNanos()) {
                boolean _ = monitor.notice(LOOK).isPresent();
            }
        } catch (HostException e) {
            if (MonitorFailures.isGone(e)) {
                return;
            }
            throw e;
        }
        throw Failures.notRemoved(place.id(), PATIENCE);
    }
}
