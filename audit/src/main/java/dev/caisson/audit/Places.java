package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;

/// Picks the stretch of a file that a person should look at.
final class Places {
    private static final int SHOWN = 160;

    private Places() {}

    /// The first key of a mapping, for what is missing in it.
    static Place firstLine(YamlMap map) {
        return map.entries().values().stream()
                .filter(entry -> !entry.merged()
                        && entry.key().place().source() == map.place().source())
                .map(YamlEntry::key)
                .map(key -> key.place())
                .findFirst()
                .orElse(map.place());
    }

    /// The text of the first line of a place, for evidence.
    static String shown(Place place) {
        Source source = place.source();
        int end = Math.min(place.end(), source.lineEnd(place.line()));
        String text = source.text().substring(Math.min(place.start(), end), end).strip();
        return text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
    }
}
