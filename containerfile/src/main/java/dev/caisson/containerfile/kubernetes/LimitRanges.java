package dev.caisson.containerfile.kubernetes;

import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The limits that a `LimitRange` gives to the containers of its namespace which have none.
record LimitRanges(Map<String, List<YamlMap>> defaults) {
    static LimitRanges of(List<KubernetesObject> objects) {
        Map<String, List<YamlMap>> found = new HashMap<>();
        for (KubernetesObject object : objects) {
            if (object.kind().equals("LimitRange")) {
                object.body().map("spec").stream()
                        .flatMap(range -> range.maps("limits"))
                        .filter(item -> KubernetesManifest.text(item, "type").equals("Container"))
                        .flatMap(item -> item.map("default").stream())
                        .forEach(item -> found.computeIfAbsent(object.namespace(), name -> new ArrayList<>())
                                .add(item));
            }
        }
        return new LimitRanges(found);
    }

    List<YamlMap> of(String namespace) {
        return defaults.getOrDefault(namespace, List.of());
    }
}
