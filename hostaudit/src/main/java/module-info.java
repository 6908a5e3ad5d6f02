import org.jspecify.annotations.NullMarked;

/// Audits a live host: gathers facts of kernel, container engine, images and containers once, and judges them by
/// checks that are pure functions of those facts, among them every recommendation of the CIS Docker Benchmark.
/// It changes nothing on the host and runs nothing inside a container.
@NullMarked
module dev.caisson.hostaudit {
    requires static transitive org.jspecify;
    requires transitive dev.caisson.error;
    requires transitive dev.caisson.audit;
    requires dev.caisson.linux;
    requires dev.caisson.seccomp;
    requires dev.caisson.text;
    requires io.avaje.jsonb;

    exports dev.caisson.hostaudit;
}
