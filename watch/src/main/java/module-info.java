import org.jspecify.annotations.NullMarked;

/// The system calls of containers and those that their filters deny: filters and their listeners, the watch and the
/// recorder by eBPF, and what is told of a denied call. It knows processes and filters, and no engine.
@NullMarked
@SuppressWarnings("module") // those that it is exported to are compiled later
module dev.caisson.watch {
    requires transitive dev.caisson.state;
    requires dev.caisson.text;
    requires static org.jspecify;

    exports dev.caisson.watch to
            dev.caisson.cli,
            dev.caisson.engine;
}
