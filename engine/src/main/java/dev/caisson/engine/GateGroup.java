package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.SystemdScope;
import dev.caisson.gate.ProcessGroup;
import dev.caisson.launch.Verifier;
import dev.caisson.linux.Fd;
import dev.caisson.network.GateReach;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.GateGroups;
import dev.caisson.state.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The control group of the process that serves one container's gates, beside the container's: it bounds a process that
/// was taken over, and one that a container makes use memory.
final class GateGroup implements ProcessGroup, AutoCloseable {
    /// The heap has at most 160 MiB; the rest is for classes, code, threads and buffers of connections.
    static final Limits LIMITS =
            Limits.defaults().memory(Bytes.mebibytes(384)).pids(192).cpuShares(Limits.DEFAULT_CPU_SHARES / 2);

    private static final System.Logger LOG = System.getLogger(GateGroup.class.getName());

    private final GateGroups groups;
    private final Placement placement;
    private final ContainerId id;
    private final Cgroup group;

    private GateGroup(GateGroups groups, Placement placement, ContainerId id, Cgroup group) {
        this.groups = groups;
        this.placement = placement;
        this.id = id;
        this.group = group;
    }

    /// Makes it, with its limits in force.
    ///
    /// @param hierarchy stays open as long as the group is used
    /// @throws EngineException GATE_GROUP
    static GateGroup make(Hierarchy hierarchy, EngineOptions options, Placement placement, ContainerId id) {
        String own = State.cgroupParent(options.state());
        var groups = new GateGroups(
                hierarchy, options.state(), options.driver() == CgroupDriver.SYSTEMD ? SystemdScope.group(own) : own);
        try {
            return new GateGroup(groups, placement, id, groups.make(placement, id, LIMITS));
        } catch (CgroupException e) {
            throw refused(e);
        }
    }

    /// Refuses gates on a machine that cannot bound their process.
    /// @throws EngineException GATE_GROUP
    static void requirePossible(EngineOptions options) {
        if (options.gateIsolation() == GateIsolation.PROCESS) {
            try (Hierarchy hierarchy = Hierarchy.detect()) {
                hierarchy.check(LIMITS);
            } catch (CgroupException e) {
                throw refused(e);
            }
        }
    }

    private static EngineException refused(CgroupException e) {
        return new EngineException(
                "GATE_GROUP", "the process of the gates gets no control group of its own: " + e.sentence(), e);
    }

    @Override
    public List<Fd> joins() {
        return group.allJoinFds();
    }

    @Override
    public boolean holds(int pid) {
        return group.holds(pid);
    }

    /// True if the kernel has ended a process in it for want of memory.
    boolean isOutOfMemory() {
        try {
            return group.events().oomKills() > 0;
        } catch (CgroupException e) {
            LOG.log(System.Logger.Level.DEBUG, "the events of the group are not known", e);
            return false;
        }
    }

    /// Kills what is in it, and removes it.
    @Override
    public void close() {
        try {
            groups.remove(placement, id);
        } catch (RuntimeException e) { // the container's end removes it again
            LOG.log(System.Logger.Level.WARNING, "the control group of gates of " + id.shortForm() + " is left", e);
        }
    }

    private static boolean hasGates(ContainerId container, EngineOptions options) {
        if (!HostNetworks.hasAny(options)) {
            return false;
        }
        try (var reach = new GateReach(options.networks())) {
            return reach.hasGates(container);
        }
    }

    /// Compares the group of a container's gates with its limits, if it has gates.
    static List<Verifier.Check> checks(ContainerRecord record, Hierarchy hierarchy, EngineOptions options) {
        if (!hasGates(new ContainerId(record.id()), options)) {
            return List.of();
        }
        Optional<Cgroup> found = hierarchy.find(record.cgroupParent(), GateGroups.name(record.id()));
        if (found.isEmpty()) {
            return List.of(new Verifier.Check(
                    "gates, control group",
                    "a process in a group of its own",
                    "not evaluated, because no process serves gates of this container now",
                    Verifier.Outcome.NOT_EVALUATED));
        }
        Cgroup group = found.get();
        var checks = new ArrayList<Verifier.Check>();
        List<Long> processes = group.processes();
        boolean whole = processes.size() == 1 && group.holds(processes.getFirst());
        checks.add(new Verifier.Check(
                "gates, control group",
                "one process in " + group.path(),
                (whole ? "one process" : "processes " + processes) + " in " + group.path(),
                whole));
        for (Cgroup.Standing standing : group.standing(group.settings(LIMITS))) {
            checks.add(new Verifier.Check(
                    "gates, limit " + standing.setting().limit(),
                    standing.setting().file() + " " + standing.planned(),
                    standing.setting().file() + " " + standing.found(),
                    standing.isAsPlanned()));
        }
        return checks;
    }
}
