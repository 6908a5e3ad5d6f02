package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.util.List;

/// A service of a compose project.
/// @param key its name where it was first defined
/// @param body its effective settings, lists and mappings in one form each
/// @param definitions the mappings as they are written, in the order in which they were merged
public record ComposeService(String name, YamlScalar key, YamlMap body, List<YamlMap> definitions) {
    /// The profiles without one of which the service is not started.
    public List<String> profiles() {
        return body.seq("profiles").stream()
                .flatMap(seq -> seq.items().stream())
                .filter(YamlScalar.class::isInstance)
                .map(item -> ((YamlScalar) item).value())
                .toList();
    }
}
