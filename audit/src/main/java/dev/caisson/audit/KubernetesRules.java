package dev.caisson.audit;

import static dev.caisson.audit.YamlChange.put;

import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.kubernetes.KubernetesObject;
import dev.caisson.containerfile.kubernetes.KubernetesPod;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Rules on pods and other objects of Kubernetes that compose knows nothing like.
final class KubernetesRules {
    static final List<Rule<KubernetesPod>> PODS = List.of(
            Rule.of("service-account-token", KubernetesRules::token),
            Rule.of("volume-not-restricted", KubernetesRules::volumes));
    static final List<Rule<KubernetesObject>> OBJECTS = List.of(
            Rule.of("secret-in-manifest", KubernetesRules::secrets),
            Rule.of("service-exposed", KubernetesRules::exposed),
            Rule.of("engine-socket", KubernetesRules::volumeOfSocket),
            Rule.of("host-path", KubernetesRules::volumeOfHost));

    /// Rules that speak of nothing but Linux: users by number, capabilities, filters, and what the API refuses in a
    /// pod of Windows.
    private static final Set<String> LINUX_ONLY = Set.of(
            "runs-as-root",
            "privileged",
            "host-pid",
            "host-ipc",
            "host-userns",
            "host-cgroup",
            "host-uts",
            "host-network",
            "shared-namespace",
            "device-access",
            "capability-added",
            "capabilities-kept",
            "privileges-gained",
            "seccomp-off",
            "lsm-off",
            "mount-shared",
            "masked-paths-open",
            "root-writable",
            "sysctl-unsafe",
            "pids-unlimited");
    static final List<Rule<Workload>> CONTAINERS = List.of(Rule.of("host-process", KubernetesRules::hostProcess));

    /// Pod Security Standards, restricted: the volume types that it lists, ephemeral ones among them.
    private static final Set<String> VOLUMES = Set.of(
            "configMap",
            "csi",
            "downwardAPI",
            "emptyDir",
            "ephemeral",
            "persistentVolumeClaim",
            "projected",
            "secret",
            "image");

    private KubernetesRules() {}

    static boolean isForLinuxOnly(Rule<?> rule) {
        return LINUX_ONLY.contains(rule.check().name());
    }

    /// A volume of the cluster that is a directory of whichever node a pod comes to.
    private static List<Verdict> volumeOfHost(KubernetesObject object) {
        return hostVolume(object).stream()
                .filter(path -> MountRules.socket(path.value()).isEmpty())
                .map(path ->
                        Verdict.fail(path.place(), object.title() + " is the directory " + path.value() + " of a node"))
                .toList();
    }

    private static List<Verdict> volumeOfSocket(KubernetesObject object) {
        return hostVolume(object).stream()
                .filter(path -> MountRules.socket(path.value()).isPresent())
                .map(path -> Verdict.fail(
                        path.place(), object.title() + " gives the engine's socket of a node: " + path.value()))
                .toList();
    }

    private static Optional<Setting<String>> hostVolume(KubernetesObject object) {
        return object.kind().equals("PersistentVolume")
                ? object.body()
                        .map("spec")
                        .flatMap(spec -> spec.map("hostPath"))
                        .flatMap(volume -> volume.entry("path"))
                        .map(entry -> new Setting<>(Composes.text(entry), entry.place()))
                : Optional.empty();
    }

    private static List<Verdict> token(KubernetesPod pod) {
        Optional<YamlEntry> setting = pod.spec().entry("automountServiceAccountToken");
        boolean off = setting.map(entry -> Composes.text(entry).equals("false")).orElse(pod.withoutToken());
        if (off) {
            return Verdict.none();
        }
        Fix fix = new Fix.OfYaml(
                false,
                Optional.empty(),
                List.of(new Fix.Targeted(pod.spec(), put("false", "automountServiceAccountToken"))));
        return List.of(Verdict.fail(
                        setting.map(YamlEntry::place).orElse(Places.firstLine(pod.spec())),
                        pod.resource().title() + " gets a token for the cluster's API")
                .with(fix));
    }

    private static List<Verdict> volumes(KubernetesPod pod) {
        List<Verdict> verdicts = new ArrayList<>();
        pod.spec()
                .maps("volumes")
                .forEach(volume -> volume.entries().forEach((kind, entry) -> {
                    if (!kind.equals("name") && !VOLUMES.contains(kind)) {
                        verdicts.add(Verdict.fail(
                                entry.key().place(), pod.resource().title() + " has a volume of the kind " + kind));
                    }
                }));
        return verdicts;
    }

    private static List<Verdict> hostProcess(Workload workload) {
        if (!(workload.origin() instanceof WorkloadOrigin.Kubernetes origin)) {
            return Verdict.none();
        }
        return List.of(origin.container(), origin.pod().spec()).stream()
                .flatMap(map -> map.map("securityContext").stream())
                .flatMap(context -> context.map("windowsOptions").stream())
                .flatMap(options -> options.entry("hostProcess").stream())
                .filter(entry -> Composes.text(entry).equals("true"))
                .map(entry -> Verdict.fail(entry.place(), workload.name() + " is a process of the host"))
                .toList();
    }

    private static List<Verdict> secrets(KubernetesObject object) {
        List<Verdict> verdicts = new ArrayList<>();
        boolean secret = object.kind().equals("Secret");
        if (!secret && !object.kind().equals("ConfigMap")) {
            return verdicts;
        }
        for (String section : List.of("data", "stringData")) {
            Optional<YamlMap> data = object.body().map(section);
            data.ifPresent(map -> map.entries().forEach((name, entry) -> {
                String value = entry.value() instanceof YamlScalar scalar ? scalar.value() : "";
                boolean found =
                        secret ? !value.isBlank() : Secrets.inFile(value).isPresent() || isSecretLine(name, value);
                if (found) {
                    verdicts.add(Verdict.fail(entry.key().place(), object.title() + " holds the value of " + name)
                            .showing(name + ": " + Secrets.cut(value.strip())));
                }
            }));
        }
        return verdicts;
    }

    private static boolean isSecretLine(String name, String value) {
        return Secrets.isSecretName(name.replace('-', '_')) && Secrets.isSecretValue(value) && value.indexOf('\n') < 0;
    }

    private static List<Verdict> exposed(KubernetesObject object) {
        if (!object.kind().equals("Service")) {
            return Verdict.none();
        }
        Optional<YamlMap> spec = object.body().map("spec");
        boolean limited =
                spec.flatMap(map -> map.seq("loadBalancerSourceRanges")).isPresent();
        return spec
                .flatMap(map -> map.entry("type"))
                .filter(type -> Composes.text(type).equals("NodePort")
                        || (Composes.text(type).equals("LoadBalancer") && !limited))
                .map(type -> Verdict.fail(type.place(), object.title() + " is a " + Composes.text(type)))
                .stream()
                .toList();
    }
}
