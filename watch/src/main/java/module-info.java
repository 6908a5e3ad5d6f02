import org.jspecify.annotations.NullMarked;

/// What system calls a container makes and which its filter denies: filters and their listeners, the watch and the
/// recorder by eBPF, and what is told of a denied call. It knows processes and filters, and no engine.
@NullMarked
module dev.caisson.watch {
    requires transitive dev.caisson.state;
    requires dev.caisson.text;
    requires static org.jspecify;

    exports dev.caisson.watch;
}
