package dev.caisson.containerfile.kubernetes;

import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;

/// An object of a Kubernetes manifest.
/// @param name its `metadata.name`, or `generateName`
public record KubernetesObject(String apiVersion, String kind, String namespace, String name, YamlMap body) {
    /// The object of a mapping.
    /// @param kind of one that names none, as an item of a typed list
    static KubernetesObject of(YamlMap body, String kind) {
        return new KubernetesObject(
                text(body, "apiVersion"),
                text(body, "kind").isEmpty() ? kind : text(body, "kind"),
                body.map("metadata")
                        .map(metadata -> text(metadata, "namespace"))
                        .orElse(""),
                body.map("metadata")
                        .map(metadata -> text(metadata, "name").isEmpty()
                                ? text(metadata, "generateName")
                                : text(metadata, "name"))
                        .orElse(""),
                body);
    }

    /// Returns a title such as `Deployment/shop`.
    public String title() {
        return name.isEmpty() ? kind : kind + "/" + name;
    }

    private static String text(YamlMap map, String key) {
        return map.scalar(key).map(YamlScalar::value).orElse("");
    }
}
