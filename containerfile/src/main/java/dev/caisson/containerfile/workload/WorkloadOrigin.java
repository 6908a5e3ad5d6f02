package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.compose.ComposeService;
import dev.caisson.containerfile.kubernetes.KubernetesPod;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;

/// The kind of file that a workload comes from, and the mappings in it.
public sealed interface WorkloadOrigin {
    /// A service of a compose project.
    record Compose(ComposeProject project, ComposeService service) implements WorkloadOrigin {}

    /// A container of a pod.
    /// @param kind as `container`, `initContainer`
    record Kubernetes(KubernetesPod pod, YamlMap container, String kind) implements WorkloadOrigin {}
}
