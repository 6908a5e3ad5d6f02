package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.allPresent;
import static dev.caisson.error.ArgumentException.present;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Collections with one element more than another, which stays as it is.
final class More {
    private More() {}

    /// A copy without null, of which `name` is reported.
    static <T> List<T> copy(Iterable<? extends T> elements, String name) {
        return allPresent(elements, name);
    }

    static <T> Set<T> copy(Set<? extends T> elements, String name) {
        return Set.copyOf(copy((Iterable<? extends T>) elements, name));
    }

    /// A copy in the same order without null, of which `name` is reported.
    static <K, V> Map<K, V> copy(Map<? extends K, ? extends V> map, String name) {
        var all = new LinkedHashMap<K, V>();
        present(map, name)
                .forEach((key, value) ->
                        all.put(present(key, "a key of " + name), present(value, "a value of " + name)));
        return Collections.unmodifiableMap(all);
    }

    /// Keeps the order in which keys were added.
    static Map<String, String> plus(Map<String, String> map, String key, String value) {
        var all = new LinkedHashMap<>(map);
        all.put(present(key, "name"), present(value, "value of " + key));
        return Collections.unmodifiableMap(all);
    }

    static <T> List<T> plus(List<T> list, T value) {
        var all = new ArrayList<>(list);
        all.add(present(value, "value"));
        return List.copyOf(all);
    }

    static <T> Set<T> plus(Set<T> set, T value) {
        var all = new HashSet<>(set);
        all.add(present(value, "value"));
        return Set.copyOf(all);
    }
}
