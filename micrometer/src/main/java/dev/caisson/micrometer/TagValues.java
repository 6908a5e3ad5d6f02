package dev.caisson.micrometer;

import java.util.HashSet;
import java.util.Set;

/// Values of a tag that others choose, such as names of containers, within bounds: a registry keeps every value that it
/// has seen, so callers who make up names would fill its memory. Values beyond the first `most` are [#OTHER].
final class TagValues {
    static final String OTHER = "other";
    private static final int LONGEST = 128;

    private final int most;
    private final Set<String> known = new HashSet<>();

    TagValues(int most) {
        this.most = most;
    }

    synchronized String bounded(String value) {
        String shown = value.length() > LONGEST ? value.substring(0, LONGEST) : value;
        if (known.contains(shown)) {
            return shown;
        }
        if (known.size() >= most) {
            return OTHER;
        }
        known.add(shown);
        return shown;
    }
}
