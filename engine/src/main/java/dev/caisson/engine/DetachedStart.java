package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Verifier;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.StartReply;
import dev.caisson.linux.Fd;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.linux.Processes;
import dev.caisson.state.ContainerRecord;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// The start of a container that outlives its command, by its monitor: held before its program until the kernel was
/// asked what it made.
final class DetachedStart {
    private DetachedStart() {}

    /// Starts a container that has a monitor, under its lock; nothing if it runs.
    static void ifDown(DetachedPlace place, DetachedHold held, Monitor monitor) throws InterruptedException {
        ContainerState state = ToldState.of(monitor.state());
        state.require(ContainerState.Operation.START, place.name());
        if (state.isDone(ContainerState.Operation.START)) {
            return;
        }
        boolean first = DetachedFile.isWanted(held.kept()).isEmpty();
        DetachedFile.wants(held.kept(), true);
        try {
            of(place, monitor, state instanceof ContainerState.Restarting);
        } catch (RuntimeException e) {
            if (first) {
                DetachedFile.wantsNothing(held.kept());
            }
            throw e;
        }
    }

    /// @param restarts true if its monitor may start it meanwhile
    private static void of(DetachedPlace place, Monitor monitor, boolean restarts) throws InterruptedException {
        ContainerRecord record = place.record();
        place.noteEnd();
        LaunchPlan plan = record.plan().plan();
        if (!plan.links().isEmpty()) {
            GuestNetworks.require(place.options(), place.id(), restarts);
        }
        Optional<SharedNetwork.Stack> shared = plan.sharesNetwork()
                ? SharedNetwork.with(place.id(), place.options())
                        .map(other -> SharedNetwork.stack(other, place.options()))
                : Optional.empty();
        int generation;
        try {
            if (shared.isPresent()) {
                shared.get().give(monitor);
            }
            generation = start(place, monitor, record, shared.map(SharedNetwork.Stack::namespace));
        } finally {
            shared.ifPresent(SharedNetwork.Stack::close);
        }
        boolean mayBeShared = !plan.sharesNetwork() && !plan.usesHostNetwork();
        if (mayBeShared && generation > 1) {
            SharedNetwork.passOn(place.id(), place.options());
        }
    }

    /// @return number of its start, 0 if somebody else starts it
    private static int start(DetachedPlace place, Monitor monitor, ContainerRecord record, Optional<Fd> shared)
            throws InterruptedException {
        LaunchPlan plan = record.plan().plan();
        StartReply reply = monitor.hold();
        if (reply.wasStarted()) {
            return 0;
        }
        if (!reply.succeeded()) {
            throw reply.failure(record.plan().plan(record.command()));
        }
        int pid = reply.state().pid();
        long startTime;
        try {
            for (Verifier.Check check : new Verifier(plan).beforeStart(pid)) {
                if (!check.asPlanned()) {
                    throw Starter.notAsPlanned(check); // the start is given up when the connection closes
                }
            }
            shared.ifPresent(namespace -> SharedNetwork.require(namespace, pid));
            startTime = ProcessTimes.findStartTime(pid)
                    .orElseThrow(() -> new HostException("PROGRAM_ENDED", "the container's process is gone"));
        } catch (HostException e) {
            // of one that is on its way out the kernel tells less than of one that lives
            boolean ended = e.code().equals("PROGRAM_ENDED") || Processes.isBeingKilled(pid);
            throw ended ? Failures.endedAtStart(place.name(), e) : e;
        }
        if (!plan.links().isEmpty()) {
            GuestNetworks.lead(place.options(), place.id());
        }
        place.save(record.restarted(pid, startTime));
        Instant time = Instant.now(); // it may have ended before this is written down
        monitor.go();
        if (!plan.links().isEmpty()) {
            NetworkEvents.noteStarted(place.options(), place.id(), time);
        }
        place.note(time, "start", Map.of());
        return reply.state().generation();
    }
}
