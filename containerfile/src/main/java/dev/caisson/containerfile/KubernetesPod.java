package dev.caisson.containerfile;

import dev.caisson.containerfile.YamlNode.YamlMap;
import java.util.List;

/// A pod, or the template of one.
/// @param resource the object that holds it
/// @param metadata its own, or its template's; empty where it has none
/// @param spec its `spec`
/// @param withoutToken whether its service account, given beside it, mounts no token
public record KubernetesPod(
        KubernetesObject resource, YamlMap metadata, YamlMap spec, boolean withoutToken, List<Workload> containers) {
    /// Returns true if it runs on Windows nodes, where what Linux knows of users, capabilities and filters does not
    /// exist.
    public boolean isWindows() {
        boolean named = KubernetesManifest.scalar(spec, "os", "name")
                .filter(name -> name.value().equals("windows"))
                .isPresent();
        return named
                || KubernetesManifest.scalar(spec, "nodeSelector", "kubernetes.io/os")
                        .filter(name -> name.value().equals("windows"))
                        .isPresent();
    }
}
