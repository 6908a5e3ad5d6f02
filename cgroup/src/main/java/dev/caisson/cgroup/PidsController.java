package dev.caisson.cgroup;

import java.util.List;

/// The pids controller, which has the same files in both versions.
record PidsController(Tree tree) implements Controller {
    static final String NAME = "pids";

    private static final String LIMIT = "pids.max";

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
                files.find(tree, "pids.peak").map(Long::parseLong),
                limit(files),
                refused(files));
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
