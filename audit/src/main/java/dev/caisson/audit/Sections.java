package dev.caisson.audit;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The part of a report that a check belongs to, told by the middle of its id, as `WL` in `CSN-WL-006`.
final class Sections {
    private static final Map<String, String> TITLES = new LinkedHashMap<>();

    static {
        TITLES.put("HO", "Host");
        TITLES.put("DA", "Engine");
        TITLES.put("CF", "Configuration files");
        TITLES.put("IM", "Images");
        TITLES.put("RT", "Running containers");
        TITLES.put("OP", "Operations");
        TITLES.put("SW", "Swarm");
        TITLES.put("WL", "Services and containers");
        TITLES.put("KU", "Kubernetes objects");
        TITLES.put("DF", "Dockerfiles");
        TITLES.put("FL", "Files and waivers");
    }

    /// The titles, in the order of a report.
    static final List<String> ORDER = List.copyOf(TITLES.values());

    private Sections() {}

    static String of(Check check) {
        String[] parts = check.id().split("-", -1);
        String code = parts.length > 1 ? parts[1] : check.id();
        return TITLES.getOrDefault(code, code);
    }
}
