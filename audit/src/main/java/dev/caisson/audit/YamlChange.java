package dev.caisson.audit;

import java.util.List;

/// A change to a YAML mapping, at the end of a path of keys below it. Values are YAML in flow style.
sealed interface YamlChange {
    List<String> path();

    /// Sets a value, making the mappings on the way.
    record Put(List<String> path, String value) implements YamlChange {}

    /// Adds an item to a list, making it.
    record Append(List<String> path, String item) implements YamlChange {}

    /// Replaces an item of a list that has this value.
    record ReplaceItem(List<String> path, String item, String value) implements YamlChange {}

    /// Takes an item off a list.
    record DropItem(List<String> path, String item) implements YamlChange {}

    /// Takes a key away.
    record Drop(List<String> path) implements YamlChange {}

    static YamlChange put(String value, String... path) {
        return new Put(List.of(path), value);
    }

    static YamlChange append(String item, String... path) {
        return new Append(List.of(path), item);
    }

    static YamlChange dropItem(String item, String... path) {
        return new DropItem(List.of(path), item);
    }

    static YamlChange drop(String... path) {
        return new Drop(List.of(path));
    }
}
