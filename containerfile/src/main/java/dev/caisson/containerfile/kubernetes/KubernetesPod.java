package dev.caisson.containerfile.kubernetes;

import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import java.util.List;

/// A pod, or the template of one.
/// @param resource the object that holds it
/// @param metadata its own, or its template's; empty where it has none
/// @param spec its `spec`
/// @param withoutToken whether its service account, given beside it, mounts no token
/// @param limits those that a `LimitRange` of its namespace gives to containers which have none
public record KubernetesPod(
        KubernetesObject resource, YamlMap metadata, YamlMap spec, boolean withoutToken, List<YamlMap> limits) {
    /// @param template a mapping with `metadata` and `spec`
    static KubernetesPod of(KubernetesObject resource, YamlMap template, ServiceAccounts accounts, LimitRanges ranges) {
        YamlMap metadata = template.map("metadata").orElse(YamlMap.empty(template.place()));
        YamlMap spec = template.map("spec").orElse(YamlMap.empty(template.place()));
        String named = KubernetesManifest.text(spec, "serviceAccountName");
        String account = named.isEmpty() ? KubernetesManifest.text(spec, "serviceAccount") : named;
        boolean withoutToken = accounts.mountsNoToken(resource.namespace(), account);
        return new KubernetesPod(resource, metadata, spec, withoutToken, ranges.of(resource.namespace()));
    }

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
