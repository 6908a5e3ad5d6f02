package dev.caisson.hostaudit;

import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.FactsJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Facts that a live audit gathered, in `facts.json`: one engine, one image, one container. Tests change
/// single facts of them where this kernel or this machine cannot show what a check is about.
final class FactsFile {
    /// In place of a value: nothing stands there.
    static final Object ABSENT = new Object();

    private FactsFile() {}

    static Facts recorded() {
        return FactsJson.read(text());
    }

    private static String text() {
        try (var in = FactsFile.class.getResourceAsStream("facts.json")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The recorded facts with other values: pairs of a path, as `engine.claims.storageDriver` or
    /// `containers.0.id`, and what stands there then.
    static Facts with(Object... changes) {
        Object tree = mutable(FactsJson.tree(recorded()));
        for (int at = 0; at < changes.length; at += 2) {
            set(tree, String.valueOf(changes[at]).split("/", -1), changes[at + 1]);
        }
        return FactsJson.read(io.avaje.jsonb.Jsonb.instance().type(Object.class).toJson(tree));
    }

    private static Object mutable(Object tree) {
        return switch (tree) {
            case Map<?, ?> map -> {
                Map<String, Object> copy = new LinkedHashMap<>();
                map.forEach((key, value) -> copy.put(String.valueOf(key), mutable(value)));
                yield copy;
            }
            case List<?> list -> {
                List<Object> copy = new ArrayList<>();
                list.forEach(item -> copy.add(mutable(item)));
                yield copy;
            }
            case Object other -> other;
        };
    }

    @SuppressWarnings("unchecked") // the tree was made by mutable
    private static void set(Object tree, String[] path, Object value) {
        Object here = tree;
        for (int at = 0; at < path.length - 1; at++) {
            Object next = here instanceof List<?> list
                    ? list.get(Integer.parseInt(path[at]))
                    : ((Map<String, Object>) here)
                            .computeIfAbsent(path[at], key -> new LinkedHashMap<String, Object>());
            here = Objects.requireNonNull(next);
        }
        String last = path[path.length - 1];
        if (value == ABSENT) {
            ((Map<String, Object>) here).remove(last);
        } else if (here instanceof List<?> list) {
            ((List<Object>) list).set(Integer.parseInt(last), mutable(value));
        } else {
            ((Map<String, Object>) here).put(last, mutable(value));
        }
    }
}
