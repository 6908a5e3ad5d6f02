package dev.caisson.cgroup;

import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.util.ArrayList;
import java.util.List;

/// The hugetlb controller: huge pages by their size, and the reservations for them.
record HugePageController(Tree tree) implements Controller {
    static final String NAME = "hugetlb";

    static boolean isNeeded(Limits limits) {
        return !limits.hugePages().isEmpty();
    }

    @Override
    public List<Setting> settings(Limits limits, String parent) {
        String limit = tree.isUnified() ? "max" : "limit_in_bytes";
        var settings = new ArrayList<Setting>();
        limits.hugePages().forEach((size, most) -> {
            String value = Long.toString(most.count());
            settings.add(new Setting(NAME, tree, "hugetlb." + size + "." + limit, value));
            // a mapping that goes past this one fails, where it would die of the other at its first touch
            settings.add(new Setting(NAME, tree, "hugetlb." + size + ".rsvd." + limit, value));
        });
        return settings;
    }

    @Override
    public List<Lack> lacks(Limits limits, String parent) {
        return List.of();
    }
}
