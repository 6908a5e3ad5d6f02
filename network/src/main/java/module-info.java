import org.jspecify.annotations.NullMarked;

/// Networks of containers: their bridges, addresses, packet filter and records, names and relayed ports. Talks to the
/// kernel by netlink alone and runs no other program; it starts no container and enters no namespace.
@NullMarked
@SuppressWarnings("module") // those that it is exported to are compiled later
module dev.caisson.network {
    requires static transitive org.jspecify;
    requires transitive dev.caisson.linux;
    requires transitive dev.caisson.spec;
    requires dev.caisson.text;
    requires io.avaje.json;

    exports dev.caisson.network to
            dev.caisson.benchmarks,
            dev.caisson.cli,
            dev.caisson.engine,
            dev.caisson.launch,
            dev.caisson.selftest,
            dev.caisson.state;
}
