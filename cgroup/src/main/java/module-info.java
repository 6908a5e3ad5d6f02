import org.jspecify.annotations.NullMarked;

/// Control groups: one set of limits, figures and events for cgroup v1, hybrid hosts and cgroup v2, cgroups(7).
/// Makes a container's group with every limit in force or not at all, and removes it with all that lives in it.
@NullMarked
@SuppressWarnings("module") // those that it is exported to are compiled later
module dev.caisson.cgroup {
    requires static transitive org.jspecify;
    requires transitive dev.caisson.linux;
    requires transitive dev.caisson.spec;

    exports dev.caisson.cgroup to
            dev.caisson.benchmarks,
            dev.caisson.cli,
            dev.caisson.engine,
            dev.caisson.launch,
            dev.caisson.micrometer,
            dev.caisson.selftest,
            dev.caisson.state,
            dev.caisson.watch;
}
