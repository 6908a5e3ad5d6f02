package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.EffectiveLimits;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.Verifier;
import dev.caisson.linux.ErrnoException;
import java.util.ArrayList;
import java.util.List;

/// What the kernel enforces on a container that any engine of this host runs, beside what was planned.
///
/// @param id of the container
public record Verification(String id, List<Verifier.Check> checks) {
    public Verification {
        checks = List.copyOf(checks);
    }

    public boolean isAsPlanned() {
        return checks.stream().allMatch(Verifier.Check::asPlanned);
    }

    /// Reads it now.
    ///
    /// @param container the beginning of an id, or a name
    /// @throws EngineException where there is no such container, or several
    public static Verification of(String container, EngineOptions options) {
        ContainerRecord record = find(container, options);
        if (record.pid() == 0 || ended(record)) {
            throw new EngineException(
                    "CONTAINER_ENDED", "the container " + record.id().substring(0, 12) + " does not run");
        }
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            Cgroup group = hierarchy
                    .find(record.cgroupParent(), record.id())
                    .orElseThrow(() -> new EngineException(
                            "CONTAINER_ENDED",
                            "the container " + record.id().substring(0, 12) + " has no control group any more"));
            var checks = new ArrayList<>(new Verifier(record.plan().plan()).running(record.pid(), group));
            checks.addAll(limits(group.effectiveLimits(), group.path()));
            return new Verification(record.id(), checks);
        }
    }

    private static List<Verifier.Check> limits(EffectiveLimits limits, String path) {
        return List.of(
                check(
                        "memory limit",
                        limits.memory().own().toString(),
                        limits.memory().isLoweredByAncestor(),
                        limits.memory().holder(),
                        path),
                check(
                        "process limit",
                        String.valueOf(limits.pids().own()),
                        limits.pids().isLoweredByAncestor(),
                        limits.pids().holder(),
                        path));
    }

    private static Verifier.Check check(String subject, String own, boolean lowered, String holder, String path) {
        return new Verifier.Check(
                subject,
                own + " at " + path,
                own + (lowered ? ", lower at " + holder : " at " + path + ", no lower ancestor"),
                !lowered);
    }

    private static ContainerRecord find(String container, EngineOptions options) {
        List<ContainerRecord> found = State.recordsIn(options.state()).stream()
                .filter(record -> record.name().equals(container)
                        || (!container.isEmpty() && record.id().startsWith(container)))
                .toList();
        if (found.size() != 1) {
            throw found.isEmpty()
                    ? new EngineException(
                            "CONTAINER_UNKNOWN",
                            "no container that runs has an id that starts with, or a name that is '" + container + "'")
                    : new EngineException(
                            "CONTAINER_AMBIGUOUS",
                            found.size() + " containers match '" + container + "': give more of the id");
        }
        return found.getFirst();
    }

    private static boolean ended(ContainerRecord record) {
        try {
            return ProcessTimes.startTime(record.pid()) != record.startTime();
        } catch (ErrnoException e) {
            return true;
        }
    }
}
