package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.kubernetes.KubernetesManifest;
import dev.caisson.containerfile.kubernetes.KubernetesPod;
import dev.caisson.containerfile.workload.Workload.Limits;
import dev.caisson.containerfile.workload.Workload.Mount;
import dev.caisson.containerfile.workload.Workload.MountKind;
import dev.caisson.containerfile.workload.Workload.Namespace;
import dev.caisson.containerfile.workload.Workload.NamespaceUse;
import dev.caisson.containerfile.workload.Workload.Port;
import dev.caisson.containerfile.workload.Workload.Privileges;
import dev.caisson.containerfile.workload.Workload.Variable;
import dev.caisson.containerfile.yaml.Scalars;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The containers of a pod as workloads: what the pod's security context says holds for each container that does not
/// say otherwise, and a `LimitRange` of the same manifest gives the limits that a container lacks.
public final class KubernetesWorkloads {
    private static final List<String> PROBES = List.of("livenessProbe", "readinessProbe", "startupProbe");
    private static final String APPARMOR = "container.apparmor.security.beta.kubernetes.io/";
    private static final FileError VALUE = FileError.KUBERNETES_VALUE;

    private final KubernetesPod pod;
    private final YamlMap spec;
    private final YamlMap podContext;
    private final YamlMap annotations;
    private final Map<String, YamlMap> volumes = new HashMap<>();

    private KubernetesWorkloads(KubernetesPod pod) {
        this.pod = pod;
        this.spec = pod.spec();
        this.annotations = pod.metadata()
                .map("annotations")
                .orElse(YamlMap.empty(pod.metadata().place()));
        this.podContext = spec.map("securityContext").orElse(YamlMap.empty(spec.place()));
        spec.maps("volumes").forEach(volume -> volumes.put(KubernetesManifest.text(volume, "name"), volume));
    }

    /// The containers of a pod: its own, those that prepare it, and those that were added while it ran.
    public static List<Workload> of(KubernetesPod pod) {
        var workloads = new KubernetesWorkloads(pod);
        List<Workload> containers = new ArrayList<>();
        pod.spec().maps("containers").forEach(map -> containers.add(workloads.container(map, "container")));
        pod.spec().maps("initContainers").forEach(map -> containers.add(workloads.container(map, "initContainer")));
        pod.spec()
                .maps("ephemeralContainers")
                .forEach(map -> containers.add(workloads.container(map, "ephemeralContainer")));
        return List.copyOf(containers);
    }

    private Workload container(YamlMap container, String kind) {
        String name = KubernetesManifest.text(container, "name");
        Place place = container
                .entry("name")
                .map(YamlEntry::place)
                .orElse(container
                        .place()
                        .source()
                        .place(container.place().start(), container.place().start()));
        YamlMap context = container.map("securityContext").orElse(YamlMap.empty(container.place()));
        return new Workload(
                new WorkloadOrigin.Kubernetes(pod, container, kind),
                pod.resource().title() + " " + kind + (name.isEmpty() ? "" : " " + name),
                place,
                container.place(),
                Scalars.text(container, "image"),
                Optional.empty(),
                runAs(context, place),
                limits(container),
                privileges(context, name),
                namespaces(),
                Scalars.flag(context, "readOnlyRootFilesystem", VALUE),
                mounts(container),
                List.of(),
                ports(container),
                sysctls(),
                environment(container),
                arguments(container),
                asides(container),
                labels(),
                health(container, kind),
                Optional.empty(),
                Optional.empty());
    }

    private RunAs runAs(YamlMap context, Place place) {
        Optional<Setting<String>> user =
                Scalars.text(context, "runAsUser").or(() -> Scalars.text(podContext, "runAsUser"));
        Optional<Setting<Boolean>> notRoot =
                Scalars.flag(context, "runAsNonRoot", VALUE).or(() -> Scalars.flag(podContext, "runAsNonRoot", VALUE));
        if (user.isPresent()) {
            String id = user.get().value().strip();
            return id.chars().allMatch(c -> c == '0')
                    ? new RunAs.Root(user.get().place(), "runAsUser is " + id)
                    : new RunAs.Other(user.get().place(), id, true, "runAsUser is " + id);
        }
        if (notRoot.filter(Setting::value).isPresent()) {
            return new RunAs.Other(notRoot.get().place(), "", false, "runAsNonRoot is true");
        }
        return new RunAs.Unknown(
                notRoot.map(Setting::place).orElse(place), "neither runAsNonRoot nor runAsUser is set");
    }

    private Limits limits(YamlMap container) {
        return new Limits(
                limit(container, "memory").map(set -> new Setting<>(whole(set.value()), set.place())),
                limit(container, "cpu").map(set -> new Setting<>(set.value().doubleValue(), set.place())),
                Optional.empty(),
                limit(container, "ephemeral-storage").map(set -> new Setting<>(whole(set.value()), set.place())));
    }

    /// The container's own limit, the pod's, or the default of a `LimitRange` for its namespace.
    private Optional<Setting<BigDecimal>> limit(YamlMap container, String resource) {
        return limitIn(container, resource)
                .or(() -> limitIn(spec, resource))
                .or(() -> pod.limits().stream()
                        .flatMap(defaults -> quantity(defaults, resource).stream())
                        .findFirst());
    }

    private static Optional<Setting<BigDecimal>> limitIn(YamlMap map, String resource) {
        return map.map("resources").flatMap(all -> all.map("limits")).flatMap(limits -> quantity(limits, resource));
    }

    private static Optional<Setting<BigDecimal>> quantity(YamlMap map, String resource) {
        return Scalars.value(map, resource, Quantity::kubernetes, VALUE, "a quantity as 128Mi or 500m");
    }

    private static long whole(BigDecimal value) {
        return Quantity.exact(value).orElse(0L);
    }

    private Privileges privileges(YamlMap context, String name) {
        YamlMap capabilities = context.map("capabilities").orElse(YamlMap.empty(context.place()));
        Optional<Setting<Boolean>> escalation = Scalars.flag(context, "allowPrivilegeEscalation", VALUE);
        return new Privileges(
                Scalars.flag(context, "privileged", VALUE),
                ComposeWorkloads.capabilities(capabilities, "add"),
                ComposeWorkloads.capabilities(capabilities, "drop"),
                escalation.map(allowed -> new Setting<>(!allowed.value(), allowed.place())),
                seccomp(context).or(() -> seccomp(podContext)),
                lsm(context, name));
    }

    private static Optional<Setting<String>> seccomp(YamlMap context) {
        return KubernetesManifest.scalar(context, "seccompProfile", "type")
                .map(type -> type.value().equals("Unconfined")
                        ? new Setting<>("unconfined", type.place())
                        : new Setting<>(
                                KubernetesManifest.scalar(context, "seccompProfile", "localhostProfile")
                                        .map(Setting::value)
                                        .orElse(type.value()),
                                type.place()));
    }

    /// The annotation counts where no field says otherwise, also on clusters that know the field.
    private List<Setting<String>> lsm(YamlMap context, String name) {
        List<Setting<String>> settings = new ArrayList<>();
        KubernetesManifest.scalar(context, "appArmorProfile", "type")
                .or(() -> KubernetesManifest.scalar(podContext, "appArmorProfile", "type"))
                .ifPresent(type -> settings.add(new Setting<>(
                        "apparmor=" + (type.value().equals("Unconfined") ? "unconfined" : type.value()),
                        type.place())));
        if (settings.isEmpty()) {
            Scalars.text(annotations, APPARMOR + name)
                    .ifPresent(profile -> settings.add(new Setting<>("apparmor=" + profile.value(), profile.place())));
        }
        KubernetesManifest.scalar(context, "seLinuxOptions", "type")
                .or(() -> KubernetesManifest.scalar(podContext, "seLinuxOptions", "type"))
                .ifPresent(type -> settings.add(new Setting<>("label=type:" + type.value(), type.place())));
        return List.copyOf(settings);
    }

    private List<NamespaceUse> namespaces() {
        List<NamespaceUse> uses = new ArrayList<>();
        host("hostNetwork").ifPresent(place -> uses.add(use(Namespace.NETWORK, place)));
        host("hostPID").ifPresent(place -> uses.add(use(Namespace.PID, place)));
        host("hostIPC").ifPresent(place -> uses.add(use(Namespace.IPC, place)));
        return List.copyOf(uses);
    }

    private Optional<Place> host(String key) {
        return Scalars.flag(spec, key, VALUE).filter(Setting::value).map(Setting::place);
    }

    private static NamespaceUse use(Namespace namespace, Place place) {
        return new NamespaceUse(namespace, true, List.of(), place);
    }

    private List<Mount> mounts(YamlMap container) {
        List<Mount> mounts = new ArrayList<>();
        container.maps("volumeMounts").forEach(mount -> {
            YamlMap volume = volumes.get(KubernetesManifest.text(mount, "name"));
            mounts.add(mount(mount, volume));
        });
        return List.copyOf(mounts);
    }

    private static Mount mount(YamlMap mount, @Nullable YamlMap volume) {
        String target = KubernetesManifest.text(mount, "mountPath");
        boolean readOnly =
                Scalars.flag(mount, "readOnly", VALUE).map(Setting::value).orElse(false);
        Optional<String> propagation = Scalars.text(mount, "mountPropagation")
                .map(Setting::value)
                .map(value -> switch (value) {
                    case "Bidirectional" -> "rshared";
                    case "HostToContainer" -> "rslave";
                    default -> value;
                })
                .filter(value -> !value.equals("None"));
        Optional<YamlEntry> host = volume == null ? Optional.empty() : volume.entry("hostPath");
        if (host.isPresent() && host.get().value() instanceof YamlMap path) {
            String source = KubernetesManifest.text(path, "path");
            return new Mount(
                    MountKind.BIND,
                    normal(source),
                    source,
                    target,
                    readOnly,
                    propagation,
                    Optional.empty(),
                    host.get().place());
        }
        Optional<YamlEntry> empty = volume == null ? Optional.empty() : volume.entry("emptyDir");
        if (empty.isPresent()
                && empty.get().value() instanceof YamlMap options
                && KubernetesManifest.text(options, "medium").equals("Memory")) {
            Optional<Long> size = quantity(options, "sizeLimit").map(set -> whole(set.value()));
            return new Mount(
                    MountKind.TMPFS,
                    "",
                    "",
                    target,
                    readOnly,
                    propagation,
                    size,
                    empty.get().place());
        }
        String name = KubernetesManifest.text(mount, "name");
        return new Mount(
                empty.isPresent() ? MountKind.VOLUME : MountKind.OTHER,
                name,
                name,
                target,
                readOnly,
                propagation,
                Optional.empty(),
                mount.place());
    }

    private static String normal(String path) {
        String normal = path.replaceAll("/+", "/");
        return normal.length() > 1 && normal.endsWith("/") ? normal.substring(0, normal.length() - 1) : normal;
    }

    private static List<Port> ports(YamlMap container) {
        List<Port> ports = new ArrayList<>();
        container
                .maps("ports")
                .forEach(port -> Scalars.text(port, "hostPort")
                        .filter(host -> !host.value().equals("0"))
                        .ifPresent(host -> ports.add(new Port(
                                Scalars.text(port, "hostIP").map(Setting::value),
                                host.value(),
                                KubernetesManifest.text(port, "containerPort"),
                                KubernetesManifest.text(port, "protocol"),
                                host.place()))));
        return List.copyOf(ports);
    }

    private List<Setting<String>> sysctls() {
        return podContext
                .maps("sysctls")
                .map(sysctl -> new Setting<>(
                        KubernetesManifest.text(sysctl, "name") + "=" + KubernetesManifest.text(sysctl, "value"),
                        sysctl.place()))
                .toList();
    }

    private static List<Variable> environment(YamlMap container) {
        return container
                .maps("env")
                .map(variable -> new Variable(
                        KubernetesManifest.text(variable, "name"),
                        variable.scalar("value").map(YamlScalar::value),
                        false,
                        Optional.empty(),
                        variable.place()))
                .toList();
    }

    /// Everybody who may look at pods reads them.
    private List<Variable> labels() {
        return annotations.entries().entrySet().stream()
                .filter(entry -> entry.getValue().value() instanceof YamlScalar)
                .map(entry -> new Variable(
                        entry.getKey(),
                        Optional.of(((YamlScalar) entry.getValue().value()).value()),
                        false,
                        Optional.empty(),
                        entry.getValue().place()))
                .toList();
    }

    private static List<Setting<String>> arguments(YamlMap container) {
        List<Setting<String>> arguments = new ArrayList<>(Scalars.list(container, "command"));
        arguments.addAll(Scalars.list(container, "args"));
        return List.copyOf(arguments);
    }

    private static List<List<Setting<String>>> asides(YamlMap container) {
        List<List<Setting<String>>> asides = new ArrayList<>();
        Stream.concat(
                        PROBES.stream().flatMap(probe -> container.map(probe).stream()),
                        container.map("lifecycle").stream()
                                .flatMap(hooks ->
                                        Stream.of("postStart", "preStop").flatMap(hook -> hooks.map(hook).stream())))
                .forEach(handler -> {
                    handler.map("exec").ifPresent(exec -> asides.add(Scalars.list(exec, "command")));
                    handler.map("httpGet").ifPresent(get -> asides.add(headers(get)));
                });
        return List.copyOf(asides);
    }

    /// Headers as they are sent, `Name: value`.
    private static List<Setting<String>> headers(YamlMap get) {
        return get.maps("httpHeaders")
                .map(header -> new Setting<>(
                        Scalars.plain(header, "name") + ": " + Scalars.plain(header, "value"), header.place()))
                .toList();
    }

    /// A liveness probe counts; an init container runs to its end and needs none.
    private static Optional<Setting<HealthCheck>> health(YamlMap container, String kind) {
        for (String key : PROBES) {
            Optional<YamlMap> probe = container.map(key);
            if (probe.isPresent()) {
                List<String> exec = probe.get().map("exec").stream()
                        .flatMap(map -> Scalars.list(map, "command").stream())
                        .map(Setting::value)
                        .toList();
                HealthCheck check = exec.isEmpty() ? new HealthCheck.Probe(key) : new HealthCheck.ExecForm(exec);
                return Optional.of(new Setting<>(check, probe.get().place()));
            }
        }
        return kind.equals("container")
                ? Optional.empty()
                : Optional.of(new Setting<>(new HealthCheck.Probe(kind), container.place()));
    }
}
