package dev.caisson.audit;

import static dev.caisson.audit.YamlChange.put;

import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.Workload.MountKind;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import java.util.List;
import java.util.Optional;

/// Rules on what a container may take from its host.
final class LimitRules {
    static final List<Rule<Workload>> ALL = List.of(
            Rule.of("memory-unlimited", LimitRules::memory),
            Rule.of("cpu-unlimited", LimitRules::cpus),
            Rule.of("tmpfs-unsized", LimitRules::tmpfs));
    static final List<Rule<Workload>> COMPOSE = List.of(
            Rule.of("pids-unlimited", LimitRules::pids),
            Rule.of("log-unbounded", LimitRules::log),
            Rule.of("oom-kill-off", LimitRules::oomKill));
    static final List<Rule<Workload>> KUBERNETES = List.of(Rule.of("storage-unlimited", LimitRules::storage));

    private LimitRules() {}

    private static List<Verdict> memory(Workload workload) {
        Fix fix = Fixes.of(
                workload,
                false,
                List.of(limit(workload, "mem_limit", "memory", "512m")),
                List.of(put("512Mi", "resources", "limits", "memory")));
        return unbounded(workload, workload.limits().memory(), "memory", fix);
    }

    private static List<Verdict> cpus(Workload workload) {
        Fix fix = Fixes.of(
                workload,
                false,
                List.of(limit(workload, "cpus", "cpus", "\"1.0\"")),
                List.of(put("\"1\"", "resources", "limits", "cpu")));
        return unbounded(workload, workload.limits().cpus(), "CPU", fix);
    }

    private static List<Verdict> pids(Workload workload) {
        Fix fix = Fixes.of(workload, true, List.of(limit(workload, "pids_limit", "pids", "512")), List.of());
        return unbounded(workload, workload.limits().pids(), "process", fix);
    }

    private static List<Verdict> storage(Workload workload) {
        Fix fix = Fixes.of(workload, false, List.of(), List.of(put("1Gi", "resources", "limits", "ephemeral-storage")));
        return unbounded(workload, workload.limits().storage(), "ephemeral-storage", fix);
    }

    private static <T extends Number> List<Verdict> unbounded(
            Workload workload, Optional<Setting<T>> limit, String what, Fix fix) {
        if (limit.isEmpty()) {
            return List.of(Verdict.fail(workload.place(), workload.name() + " has no " + what + " limit")
                    .with(fix));
        }
        if (limit.get().value().doubleValue() <= 0) {
            return List.of(Verdict.fail(
                            limit.get().place(),
                            "the " + what + " limit of " + workload.name() + " is "
                                    + limit.get().value() + ", which means none")
                    .with(fix));
        }
        return Verdict.none();
    }

    /// Compose refuses a file that gives both forms of a limit with different values.
    private static YamlChange limit(Workload workload, String shortKey, String deployKey, String value) {
        if (workload.origin() instanceof WorkloadOrigin.Compose origin) {
            boolean deployed = origin.service()
                    .body()
                    .map("deploy")
                    .flatMap(deploy -> deploy.map("resources"))
                    .flatMap(resources -> resources.map("limits"))
                    .isPresent();
            if (deployed) {
                return put(value, "deploy", "resources", "limits", deployKey);
            }
        }
        return put(value, shortKey);
    }

    private static List<Verdict> log(Workload workload) {
        Fix fix = Fixes.of(
                workload,
                true,
                List.of(
                        put("json-file", "logging", "driver"),
                        put("10m", "logging", "options", "max-size"),
                        put("\"3\"", "logging", "options", "max-file")),
                List.of());
        if (workload.logging().isEmpty()) {
            return List.of(Verdict.fail(
                            workload.place(),
                            workload.name() + " logs by the engine's default driver, which keeps everything")
                    .with(fix)
                    .as(Severity.LOW));
        }
        Setting<Workload.LogBound> logging = workload.logging().get();
        return logging.value().bounded()
                ? Verdict.none()
                : List.of(Verdict.fail(
                                logging.place(),
                                "the log of " + workload.name() + " by the driver "
                                        + logging.value().driver() + " has no max-size")
                        .with(Fixes.of(
                                workload,
                                true,
                                List.of(
                                        put("10m", "logging", "options", "max-size"),
                                        put("\"3\"", "logging", "options", "max-file")),
                                List.of())));
    }

    private static List<Verdict> oomKill(Workload workload) {
        return Composes.flag(workload, "oom_kill_disable", true).stream()
                .map(place -> Verdict.fail(place, "oom_kill_disable is true for " + workload.name())
                        .with(Fixes.of(workload, true, List.of(YamlChange.drop("oom_kill_disable")), List.of())))
                .toList();
    }

    private static List<Verdict> tmpfs(Workload workload) {
        return workload.mounts().stream()
                .filter(mount -> mount.kind() == MountKind.TMPFS && mount.size().orElse(0L) <= 0)
                .map(mount ->
                        Verdict.fail(mount.place(), "the memory file system on " + mount.target() + " has no size"))
                .toList();
    }
}
