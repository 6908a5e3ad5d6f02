package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.EffectiveLimits;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.KernelSetting;
import dev.caisson.launch.NetworkCheck;
import dev.caisson.launch.Step;
import dev.caisson.launch.Verifier;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.network.HostCheck;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import java.util.ArrayList;
import java.util.List;

/// Compares what the kernel enforces on a container of any engine of this host with what was planned.
///
/// @param id of the container
@SuppressWarnings("exports") // for Caisson's own modules
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
    /// @throws EngineException CONTAINER_UNKNOWN, CONTAINER_AMBIGUOUS, CONTAINER_NOT_RUNNING, CONTAINER_DEAD
    public static Verification of(String container, EngineOptions options) {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            ExecTarget target = ExecTarget.find(container, options, hierarchy);
            ContainerRecord record = target.record();
            Cgroup group = target.group();
            var checks = new ArrayList<>(new Verifier(record.plan().plan()).running(record.pid(), group));
            checks.addAll(limits(record, group.effectiveLimits(), group.path()));
            checks.addAll(settings(record, group));
            checks.addAll(GateGroup.checks(record, hierarchy, options));
            checks.addAll(ProcessObstacles.of(group.processes()));
            if (target.plan().has(Step.NoNewPrivileges.class)) {
                checks.addAll(SetIdCheck.of(record, options));
            }
            checks.addAll(SharedNetwork.checks(record, options));
            checks.addAll(inside(target));
            checks.addAll(networks(new ContainerId(record.id()), options));
            return new Verification(record.id(), checks);
        }
    }

    /// Compares the network namespace of a container with its plan, if it has one of its own.
    private static List<Verifier.Check> inside(ExecTarget target) {
        var check = new NetworkCheck(target.plan());
        List<Fd> namespaces = target.namespaces(check.entered());
        if (namespaces.isEmpty()) {
            return List.of();
        }
        int pid = target.record().pid();
        try (var zygote = new RunningZygote(false);
                Fd none = FileSystem.open("/dev/null", FileSystem.O_RDWR);
                Fd process = FileSystem.open("/proc/" + pid, FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return check.of(zygote.execLauncher(), namespaces, none, process);
        } finally {
            namespaces.forEach(Fd::close);
        }
    }

    /// Compares what the host has for the container's networks with what is recorded.
    private static List<Verifier.Check> networks(ContainerId container, EngineOptions options) {
        return HostNetworks.read(options, List.<HostCheck>of(), networks -> networks.verify(container)).stream()
                .map(one ->
                        new Verifier.Check("network, " + one.subject(), one.planned(), one.found(), one.asPlanned()))
                .toList();
    }

    static List<Verifier.Check> limits(ContainerRecord record, EffectiveLimits limits, String path) {
        return List.of(
                check("memory limit", Bytes.of(record.memoryLimit()), limits.memory(), path),
                check("process limit", record.pidsLimit(), limits.pids(), path));
    }

    /// Each limit as it was written, and what was asked for with best effort.
    private static List<Verifier.Check> settings(ContainerRecord record, Cgroup group) {
        var checks = new ArrayList<Verifier.Check>();
        List<KernelSetting> settings =
                record.settings().stream().map(KernelSetting::parse).toList();
        for (Cgroup.Standing standing : group.standing(settings)) {
            KernelSetting setting = standing.setting();
            checks.add(new Verifier.Check(
                    "limit " + setting.limit(),
                    setting.file() + " " + standing.planned(),
                    setting.file() + " " + standing.found(),
                    standing.isAsPlanned()));
        }
        checks.addAll(lacks(record.unenforced()));
        return checks;
    }

    /// @param unenforced as `LIMIT: WHY`
    static List<Verifier.Check> lacks(List<String> unenforced) {
        return unenforced.stream()
                .map(lack -> {
                    int colon = lack.indexOf(':');
                    return new Verifier.Check(
                            "limit " + lack.substring(0, colon),
                            "not enforced, by best effort",
                            "not enforced" + lack.substring(colon),
                            true);
                })
                .toList();
    }

    private static <T> Verifier.Check check(String subject, T planned, EffectiveLimits.Bound<T> found, String path) {
        String where = found.isLoweredByAncestor() ? ", lower at " + found.holder() : ", no lower ancestor";
        return new Verifier.Check(
                subject,
                planned + " at " + path,
                found.own() + " at " + path + where,
                found.own().equals(planned) && (!found.isLoweredByAncestor() || isChosen(found.holder(), path)));
    }

    /// A tenant's ceiling, or a limit of the parent that the user named, is meant to hold; the engine's own
    /// group has none.
    private static boolean isChosen(String holder, String path) {
        String parent = path.substring(0, path.lastIndexOf('/'));
        return (parent.contains("/") || !parent.startsWith("caisson")) && holder.endsWith("/" + parent);
    }
}
