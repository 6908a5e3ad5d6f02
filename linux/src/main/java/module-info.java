import org.jspecify.annotations.NullMarked;

/// The kernel's interface as typed Java: file descriptors, mounts, sockets with descriptor passing, processes by
/// pidfd, terminals, epoll. The only room that touches `java.lang.foreign`; it holds no policy and joins no paths.
@NullMarked
@SuppressWarnings("module") // those that it is exported to are compiled later
module dev.caisson.linux {
    requires static transitive org.jspecify;
    requires transitive dev.caisson.error;

    exports dev.caisson.linux to
            dev.caisson.audit,
            dev.caisson.benchmarks,
            dev.caisson.build,
            dev.caisson.cgroup,
            dev.caisson.cli,
            dev.caisson.containerfile,
            dev.caisson.engine,
            dev.caisson.gate,
            dev.caisson.hostaudit,
            dev.caisson.image,
            dev.caisson.launch,
            dev.caisson.network,
            dev.caisson.scan,
            dev.caisson.seccomp,
            dev.caisson.secret,
            dev.caisson.selftest,
            dev.caisson.spec,
            dev.caisson.state,
            dev.caisson.watch;
}
