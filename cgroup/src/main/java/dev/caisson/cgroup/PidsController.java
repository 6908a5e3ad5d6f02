package dev.caisson.cgroup;

import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.util.List;
import java.util.OptionalLong;

/// The pids controller, which has the same files in both versions.
record PidsController(Tree tree) implements Controller {
    static final String NAME = "pids";

    private static final String LIMIT = "pids.max";
    private static final String PEAK = "pids.peak";

    static boolean isNeeded(Limits limits) {
        return limits.pids() != Limits.UNLIMITED_PIDS;
    }

    @Override
    public List<Setting> settings(Limits limits, String parent) {
        boolean needed = isNeeded(limits);
        return List.of(new Setting(NAME, tree, LIMIT, needed ? Long.toString(limits.pids()) : "max", !needed));
    }

    @Override
    public List<Lack> lacks(Limits limits, String parent) {
        return List.of();
    }

    Usage.Pids usage(GroupFiles files) {
        return new Usage.Pids(
                Long.parseLong(files.read(tree, "pids.current")),
                files.find(tree, PEAK).map(Long::parseLong),
                limit(files),
                refused(files));
    }

    /// Most processes and threads at once; empty if the kernel does not keep it.
    OptionalLong peak(GroupFiles files) {
        return files.find(tree, PEAK)
                .map(text -> OptionalLong.of(Long.parseLong(text)))
                .orElseGet(OptionalLong::empty);
    }

    /// Forks that the limit refused. Version 1 counts them where the fork was tried, not where the limit
    /// stands.
    long refused(GroupFiles files) {
        return new KeyedText(files.read(tree, "pids.events")).get("max");
    }

    long limit(GroupFiles files) {
        return files.find(tree, LIMIT)
                .filter(text -> !text.equals("max"))
                .map(Long::parseLong)
                .orElse(Limits.UNLIMITED_PIDS);
    }
}
