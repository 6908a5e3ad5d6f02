package dev.caisson.audit;

import static dev.caisson.audit.YamlChange.drop;
import static dev.caisson.audit.YamlChange.put;

import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.Workload.Namespace;
import dev.caisson.containerfile.workload.Workload.NamespaceUse;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Rules on namespaces that a container does not have to itself.
final class NamespaceRules {
    static final List<Rule<Workload>> ALL = List.of(
            Rule.of("host-network", workload -> host(workload, Namespace.NETWORK)),
            Rule.of("host-pid", workload -> host(workload, Namespace.PID)),
            Rule.of("host-ipc", workload -> host(workload, Namespace.IPC)));
    static final List<Rule<Workload>> COMPOSE = List.of(
            Rule.of("host-uts", workload -> host(workload, Namespace.UTS)),
            Rule.of("host-userns", workload -> host(workload, Namespace.USER)),
            Rule.of("host-cgroup", workload -> host(workload, Namespace.CGROUP)),
            Rule.of("shared-namespace", NamespaceRules::shared),
            Rule.of("default-bridge", NamespaceRules::bridge));

    private static final Map<Namespace, String> COMPOSE_KEYS = new EnumMap<>(Map.of(
            Namespace.NETWORK, "network_mode",
            Namespace.PID, "pid",
            Namespace.IPC, "ipc",
            Namespace.UTS, "uts",
            Namespace.USER, "userns_mode",
            Namespace.CGROUP, "cgroup"));
    private static final Map<Namespace, String> POD_KEYS =
            new EnumMap<>(Map.of(Namespace.NETWORK, "hostNetwork", Namespace.PID, "hostPID", Namespace.IPC, "hostIPC"));

    private NamespaceRules() {}

    private static List<Verdict> host(Workload workload, Namespace namespace) {
        return workload.namespaces().stream()
                .filter(use -> use.namespace() == namespace && use.host())
                .map(use -> Verdict.fail(
                                use.place(),
                                workload.name() + " is in the host's " + word(namespace) + " namespace" + through(use))
                        .with(fix(workload, namespace)))
                .toList();
    }

    private static Fix fix(Workload workload, Namespace namespace) {
        return switch (workload.origin()) {
            case WorkloadOrigin.Compose origin ->
                Fixes.compose(origin, false, List.of(drop(COMPOSE_KEYS.getOrDefault(namespace, ""))));
            case WorkloadOrigin.Kubernetes origin ->
                Fixes.pod(origin, false, List.of(put("false", POD_KEYS.getOrDefault(namespace, ""))));
        };
    }

    private static List<Verdict> shared(Workload workload) {
        return workload.namespaces().stream()
                .filter(use -> !use.host() && !use.through().isEmpty())
                .map(use -> Verdict.fail(
                        use.place(),
                        workload.name() + " shares its " + word(use.namespace()) + " namespace with "
                                + String.join(", which shares that of ", use.through())))
                .toList();
    }

    private static List<Verdict> bridge(Workload workload) {
        return Composes.scalar(workload, "network_mode")
                .filter(entry -> Composes.text(entry).equals("bridge"))
                .map(entry -> Verdict.fail(entry.place(), workload.name() + " is on the default bridge")
                        .with(Fixes.of(workload, false, List.of(drop("network_mode")), List.of())))
                .stream()
                .toList();
    }

    private static String through(NamespaceUse use) {
        return use.through().isEmpty() ? "" : ", by " + String.join(" and ", use.through());
    }

    private static String word(Namespace namespace) {
        return switch (namespace) {
            case NETWORK -> "network";
            case PID -> "pid";
            case IPC -> "IPC";
            case UTS -> "UTS";
            case USER -> "user";
            case CGROUP -> "cgroup";
        };
    }
}
