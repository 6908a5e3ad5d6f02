import org.jspecify.annotations.NullMarked;

/// From a wish to a container that stands: policy, planner, plan, its wire form, launcher and verifier.
///
/// Everything up to [dev.caisson.launch.LaunchPlan] is a pure function of the wish and of facts; only
/// [dev.caisson.launch.Launcher], [dev.caisson.launch.Zygote] and [dev.caisson.launch.Verifier] ask the kernel.
@NullMarked
@SuppressWarnings("module") // those that it is exported to are compiled later
module dev.caisson.launch {
    requires transitive dev.caisson.cgroup;
    requires transitive dev.caisson.image;
    requires transitive dev.caisson.linux;
    requires transitive dev.caisson.network;
    requires transitive dev.caisson.seccomp;
    requires transitive dev.caisson.spec;
    requires dev.caisson.text;
    requires static org.jspecify;

    exports dev.caisson.launch to
            dev.caisson.cli,
            dev.caisson.engine,
            dev.caisson.selftest,
            dev.caisson.state,
            dev.caisson.watch;
    exports dev.caisson.launch.monitor to
            dev.caisson.engine;
}
