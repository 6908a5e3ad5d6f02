package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Brings the settings of a service that may be written in several forms into one, before services are merged: lists of
/// `name=value` become mappings, a lone value becomes a list of one, `build: DIR` becomes a mapping.
public final class ComposeShape {
    private static final Set<String> PAIRS =
            Set.of("environment", "labels", "annotations", "sysctls", "extra_hosts", "args", "additional_contexts");
    private static final Set<String> NAMES = Set.of("depends_on", "networks");
    private static final Set<String> LISTS =
            Set.of("env_file", "tmpfs", "dns", "dns_search", "dns_opt", "label_file", "profiles");

    private ComposeShape() {}

    static YamlMap service(YamlMap service) {
        Map<String, YamlEntry> entries = new LinkedHashMap<>();
        service.entries().forEach((name, entry) -> entries.put(name, normal(name, entry)));
        return service.with(entries);
    }

    private static YamlEntry normal(String name, YamlEntry entry) {
        YamlNode value = entry.value();
        if (PAIRS.contains(name)) {
            value = pairs(value);
        } else if (NAMES.contains(name)) {
            value = names(value);
        } else if (LISTS.contains(name)) {
            value = list(value);
        } else if (name.equals("build")) {
            value = build(value);
        } else if (name.equals("deploy") && value instanceof YamlMap deploy) {
            value = change(deploy, Map.of("labels", ComposeShape::pairs));
        }
        return new YamlEntry(entry.key(), value, entry.merged());
    }

    private static YamlNode build(YamlNode value) {
        if (value instanceof YamlScalar context && !context.isNull()) {
            Map<String, YamlEntry> entries = new LinkedHashMap<>();
            entries.put("context", new YamlEntry(new YamlScalar(context.place(), "", "context", true), context, false));
            return new YamlMap(context.place(), context.tag(), true, entries);
        }
        return value instanceof YamlMap map
                ? change(map, Map.of("args", ComposeShape::pairs, "labels", ComposeShape::pairs))
                : value;
    }

    private static YamlMap change(YamlMap map, Map<String, UnaryOperator<YamlNode>> changes) {
        Map<String, YamlEntry> entries = new LinkedHashMap<>(map.entries());
        changes.forEach((name, change) -> entries.computeIfPresent(
                name, (key, entry) -> new YamlEntry(entry.key(), change.apply(entry.value()), entry.merged())));
        return map.with(entries);
    }

    /// `[A=b, C]` as `{A: b, C: null}`. A `:` parts names too where there is no `=`, as `extra_hosts` has it.
    public static YamlNode pairs(YamlNode value) {
        if (!(value instanceof YamlSeq seq)) {
            return value;
        }
        Map<String, YamlEntry> entries = new LinkedHashMap<>();
        for (YamlNode item : seq.items()) {
            if (item instanceof YamlScalar scalar) {
                int equals = scalar.value().indexOf('=');
                String name = equals < 0 ? scalar.value() : scalar.value().substring(0, equals);
                String text = equals < 0 ? "" : scalar.value().substring(equals + 1);
                int rawEquals = scalar.raw().indexOf('=');
                String raw = rawEquals < 0 ? text : scalar.raw().substring(rawEquals + 1);
                YamlScalar right =
                        new YamlScalar(scalar.place(), "", text, raw, equals < 0, scalar.unset(), scalar.outside());
                entries.put(name, new YamlEntry(new YamlScalar(scalar.place(), "", name, true), right, false));
            }
        }
        return new YamlMap(seq.place(), seq.tag(), true, entries);
    }

    private static YamlNode names(YamlNode value) {
        if (!(value instanceof YamlSeq seq)) {
            return value;
        }
        Map<String, YamlEntry> entries = new LinkedHashMap<>();
        for (YamlNode item : seq.items()) {
            if (item instanceof YamlScalar scalar) {
                entries.put(scalar.value(), new YamlEntry(scalar, new YamlScalar(scalar.place(), "", "", true), false));
            }
        }
        return new YamlMap(seq.place(), seq.tag(), true, entries);
    }

    private static YamlNode list(YamlNode value) {
        return value instanceof YamlSeq || value.isNull()
                ? value
                : new YamlSeq(value.place(), value.tag(), true, List.of(value));
    }
}
