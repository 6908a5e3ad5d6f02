package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Lays one compose document over another (compose specification, 13-merge): mappings are merged, lists
/// appended, single values replaced; what must be unique, as a mount's target, is replaced; `!reset` removes
/// and `!override` replaces.
final class ComposeMerge {
    private static final Set<String> REPLACED = Set.of("command", "entrypoint", "test");
    private static final Set<String> UNIQUE = Set.of("volumes", "ports", "secrets", "configs", "devices");

    private ComposeMerge() {}

    static YamlMap merge(YamlMap base, YamlMap over) {
        Map<String, YamlEntry> entries = new LinkedHashMap<>(base.entries());
        over.entries().forEach((name, entry) -> {
            YamlEntry below = entries.get(name);
            if (entry.value().tag().equals("!reset")) {
                entries.remove(name);
            } else if (below == null) {
                entries.put(name, entry);
            } else {
                entries.put(name, merge(name, below, entry));
            }
        });
        return over.with(entries);
    }

    private static YamlEntry merge(String name, YamlEntry base, YamlEntry over) {
        if (over.value().tag().equals("!override") || REPLACED.contains(name)) {
            return over;
        }
        if (name.equals("logging") && !sameDriver(base.value(), over.value())) {
            return over;
        }
        return switch (over.value()) {
            case YamlMap map
            when base.value() instanceof YamlMap below -> new YamlEntry(base.key(), merge(below, map), over.merged());
            case YamlSeq seq
            when base.value() instanceof YamlSeq below ->
                new YamlEntry(base.key(), append(name, below, seq), over.merged());
            default -> over;
        };
    }

    private static boolean sameDriver(YamlNode base, YamlNode over) {
        if (base instanceof YamlMap below && over instanceof YamlMap above) {
            return above.scalar("driver").isEmpty()
                    || below.scalar("driver")
                            .map(YamlScalar::value)
                            .equals(above.scalar("driver").map(YamlScalar::value));
        }
        return false;
    }

    private static YamlSeq append(String name, YamlSeq base, YamlSeq over) {
        Map<String, YamlNode> items = new LinkedHashMap<>();
        List<YamlNode> all = new ArrayList<>(base.items());
        all.addAll(over.items());
        int number = 0;
        for (YamlNode item : all) {
            String key = UNIQUE.contains(name) ? identity(name, item) : item instanceof YamlScalar s ? s.value() : null;
            items.put(key == null ? "\0" + number : key, item);
            number++;
        }
        return new YamlSeq(over.place(), over.tag(), over.flow(), List.copyOf(items.values()));
    }

    /// Returns the key that two items must not share: the target of a mount, the address, port and protocol of a
    /// published port.
    private static @Nullable String identity(String section, YamlNode item) {
        return switch (item) {
            case YamlMap map
            when section.equals("ports") ->
                String.join(
                        ":",
                        text(map, "host_ip"),
                        text(map, "published"),
                        text(map, "target"),
                        text(map, "protocol").replace("tcp", ""));
            case YamlMap map -> text(map, map.entries().containsKey("target") ? "target" : "source");
            case YamlScalar scalar when section.equals("ports") -> scalar.value();
            case YamlScalar scalar
            when section.equals("volumes") || section.equals("devices") -> {
                String[] parts = scalar.value().split(":", -1);
                yield parts.length > 1 ? parts[1] : parts[0];
            }
            case YamlScalar scalar -> scalar.value();
            case YamlSeq seq -> null;
        };
    }

    private static String text(YamlMap map, String key) {
        return map.scalar(key).map(YamlScalar::value).orElse("");
    }
}
