package dev.caisson.cgroup;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.Limits;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.Function;

/// The limits that the kernel holds a group to, read back from it: a group may use no more than the least
/// of its own limit and those of all groups above it.
public record EffectiveLimits(
        Bound<Bytes> memory, Bound<Bytes> memoryAndSwap, Bound<Optional<CpuQuota>> cpuQuota, Bound<Long> pids) {

    /// One limit as it stands.
    ///
    /// @param own what the group itself is set to
    /// @param effective the least of it and all above
    /// @param holder path of the group that sets [#effective], as the file system names it
    public record Bound<T>(T own, T effective, String holder) {
        /// True if a group above is stricter.
        public boolean isLoweredByAncestor() {
            return !own.equals(effective);
        }
    }

    static EffectiveLimits read(Controllers controllers, String group) {
        MemoryController memory = controllers.memory();
        CpuController cpu = controllers.cpu();
        PidsController pids = controllers.pids();
        return new EffectiveLimits(
                memory == null
                        ? none(Bytes.UNLIMITED)
                        : least(memory.tree(), group, memory::limit, Comparator.naturalOrder()),
                memory == null
                        ? none(Bytes.UNLIMITED)
                        : least(memory.tree(), group, memory::memoryAndSwap, Comparator.naturalOrder()),
                cpu == null
                        ? none(Optional.empty())
                        : least(
                                cpu.tree(),
                                group,
                                cpu::quota,
                                Comparator.comparingDouble(
                                        quota -> quota.map(CpuQuota::cpus).orElse(Double.POSITIVE_INFINITY))),
                pids == null
                        ? none(Limits.UNLIMITED_PIDS)
                        : least(pids.tree(), group, pids::limit, Comparator.naturalOrder()));
    }

    private static <T> Bound<T> none(T unlimited) {
        return new Bound<>(unlimited, unlimited, "");
    }

    /// Goes up from `group` to the root of the tree, which has no limit of its own in version 2.
    private static <T> Bound<T> least(Tree tree, String group, Function<GroupFiles, T> limit, Comparator<T> order) {
        T own = limit.apply(GroupFiles.of(group));
        T least = own;
        String holder = group;
        String above = group;
        while (!above.isEmpty()) {
            above = above.substring(0, Math.max(0, above.lastIndexOf('/')));
            T there = limit.apply(GroupFiles.of(above));
            if (order.compare(there, least) < 0) {
                least = there;
                holder = above;
            }
        }
        return new Bound<>(own, least, tree.path().resolve(holder).toString());
    }
}
