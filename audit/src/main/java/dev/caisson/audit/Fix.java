package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import java.util.List;
import java.util.Optional;

/// How a file can be changed so that a finding goes away.
sealed interface Fix {
    /// True if the change is unlikely to affect the program.
    boolean safe();

    /// Changes to mappings of YAML files, in order.
    /// @param service the compose service whose settings they are, for an override file
    record OfYaml(boolean safe, Optional<String> service, List<Targeted> changes) implements Fix {}

    /// A change and the mapping, as its file has it, that it starts from.
    record Targeted(YamlMap target, YamlChange change) {}

    /// Replacements of stretches of text.
    record OfText(boolean safe, List<Edit> edits) implements Fix {}

    /// A stretch of a file and what shall stand there instead.
    record Edit(Place place, String replacement) {}

    /// Lines to be added to a file in the directory of `beside`; it may not exist yet.
    record OfLines(boolean safe, Place beside, String fileName, List<String> lines) implements Fix {}
}
