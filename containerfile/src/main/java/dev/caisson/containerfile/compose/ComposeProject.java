package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A compose project as compose itself sees it: includes, extensions, overrides and variables resolved. Every node
/// keeps the place in the file that decided it.
/// @param tree where its files were read from
/// @param files the project's own files, in the order in which they were merged
/// @param model the merged document
/// @param directories where relative paths of a file's values start, by file
/// @param unresolved what could not be followed without a network: remote includes and the like
public record ComposeProject(
        SourceTree tree,
        Path directory,
        List<Source> files,
        YamlMap model,
        Map<String, ComposeService> services,
        Map<Source, Path> directories,
        List<Setting<String>> unresolved) {
    /// The base directory of a path that stands at `place`.
    public Path base(Place place) {
        return directories.getOrDefault(place.source(), directory);
    }

    /// The definition of a named volume, network, secret or config.
    public Optional<YamlMap> resource(String section, String name) {
        return model.map(section).flatMap(resources -> resources.map(name));
    }
}
