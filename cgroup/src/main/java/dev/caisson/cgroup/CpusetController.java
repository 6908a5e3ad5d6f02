package dev.caisson.cgroup;

import dev.caisson.spec.CpuList;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The cpuset controller of either version, cpuset(7).
record CpusetController(Tree tree) implements Controller {
    static final String CPUS = "cpuset-cpus";
    static final String MEMORY_NODES = "cpuset-mems";

    static boolean isNeeded(Limits limits) {
        return limits.cpuset().isPresent() || limits.memoryNodes().isPresent();
    }

    @Override
    public List<Setting> settings(Limits limits, String parent) {
        var settings = new ArrayList<Setting>();
        limits.cpuset().ifPresent(list -> settings.add(new Setting(CPUS, tree, "cpuset.cpus", list.toString())));
        limits.memoryNodes()
                .ifPresent(list -> settings.add(new Setting(MEMORY_NODES, tree, "cpuset.mems", list.toString())));
        return settings;
    }

    /// Version 2 takes any list and uses what of it the groups above have, down to something else altogether.
    @Override
    public List<Lack> lacks(Limits limits, String parent) {
        var lacks = new ArrayList<Lack>();
        limits.cpuset().flatMap(list -> lack(CPUS, "cpus", list, parent)).ifPresent(lacks::add);
        limits.memoryNodes()
                .flatMap(list -> lack(MEMORY_NODES, "mems", list, parent))
                .ifPresent(lacks::add);
        return lacks;
    }

    private Optional<Lack> lack(String limit, String kind, CpuList asked, String parent) {
        Optional<CpuList> available = nearest(parent, kind);
        return available.filter(has -> asked.isWithin(has)).isPresent()
                ? Optional.empty()
                : Optional.of(new Lack(
                        limit,
                        asked + " is more than there is: "
                                + available.map(CpuList::toString).orElse("none")));
    }

    /// Returns what the nearest existing group above may use.
    private Optional<CpuList> nearest(String parent, String kind) {
        String file = tree.isUnified() ? "cpuset." + kind + ".effective" : "cpuset.effective_" + kind;
        for (String group = parent; ; group = group.substring(0, Math.max(0, group.lastIndexOf('/')))) {
            Optional<String> text = tree.find(group, file);
            if (text.filter(list -> !list.isEmpty()).isPresent()) {
                return text.map(CpuList::parse);
            }
            if (group.isEmpty()) {
                return Optional.empty();
            }
        }
    }
}
