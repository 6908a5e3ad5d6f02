package dev.caisson.launch;

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

    /// Keeps the order in which keys were added.
    static Map<String, String> plus(Map<String, String> map, String key, String value) {
        var all = new LinkedHashMap<>(map);
        all.put(key, value);
        return Collections.unmodifiableMap(all);
    }

    static <T> List<T> plus(List<T> list, T value) {
        var all = new ArrayList<>(list);
        all.add(value);
        return List.copyOf(all);
    }

    static <T> Set<T> plus(Set<T> set, T value) {
        var all = new HashSet<>(set);
        all.add(value);
        return Set.copyOf(all);
    }
}
