package dev.caisson.containerfile.yaml;

import dev.caisson.containerfile.Place;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A YAML node with its place. Aliases and merge keys are resolved: a merged entry keeps the place of its anchor.
public sealed interface YamlNode {
    Place place();

    /// The tag as it is written, as `!reset`; empty where there is none.
    String tag();

    /// A mapping, in the order of its file.
    /// @param flow whether it is written in braces
    record YamlMap(Place place, String tag, boolean flow, Map<String, YamlEntry> entries) implements YamlNode {
        public Optional<YamlEntry> entry(String key) {
            return Optional.ofNullable(entries.get(key));
        }

        /// The value under a key; empty where the key is missing or its value is null.
        public Optional<YamlNode> get(String key) {
            return entry(key).map(YamlEntry::value).filter(value -> !value.isNull());
        }

        public Optional<YamlMap> map(String key) {
            return get(key).filter(YamlMap.class::isInstance).map(YamlMap.class::cast);
        }

        public Optional<YamlSeq> seq(String key) {
            return get(key).filter(YamlSeq.class::isInstance).map(YamlSeq.class::cast);
        }

        public Optional<YamlScalar> scalar(String key) {
            return get(key).filter(YamlScalar.class::isInstance).map(YamlScalar.class::cast);
        }

        /// The mappings in the sequence under a key.
        public Stream<YamlMap> maps(String key) {
            return seq(key).stream()
                    .flatMap(seq -> seq.items().stream())
                    .filter(YamlMap.class::isInstance)
                    .map(YamlMap.class::cast);
        }

        public YamlMap with(Map<String, YamlEntry> changed) {
            return new YamlMap(place, tag, flow, changed);
        }

        public static YamlMap empty(Place place) {
            return new YamlMap(place, "", false, new LinkedHashMap<>());
        }
    }

    /// A key with its value.
    /// @param merged whether it came in by a merge key, `<<`
    record YamlEntry(YamlScalar key, YamlNode value, boolean merged) {
        /// From the key to the end of the value.
        public Place place() {
            Place from = key.place();
            Place to = value.place();
            return from.source() == to.source() && to.end() >= from.start()
                    ? from.source().place(from.start(), Math.max(from.end(), to.end()))
                    : from;
        }
    }

    /// A sequence.
    record YamlSeq(Place place, String tag, boolean flow, List<YamlNode> items) implements YamlNode {}

    /// A scalar.
    /// @param raw the text before interpolation
    /// @param plain whether it is written without quotes, so that `null`, `true` and numbers mean what they say
    /// @param unset variables in it that have neither value nor default
    /// @param outside whether the value, or a part of it, is not written here: a variable gave it or will give it
    record YamlScalar(
            Place place, String tag, String value, String raw, boolean plain, List<String> unset, boolean outside)
            implements YamlNode {
        /// A scalar as it is written.
        public YamlScalar(Place place, String tag, String value, boolean plain) {
            this(place, tag, value, value, plain, List.of(), false);
        }
    }

    /// True if the node is YAML's null.
    default boolean isNull() {
        return this instanceof YamlScalar scalar
                && scalar.plain()
                && (scalar.value().isEmpty()
                        || scalar.value().equals("~")
                        || scalar.value().equalsIgnoreCase("null"))
                && scalar.raw().equals(scalar.value());
    }
}
