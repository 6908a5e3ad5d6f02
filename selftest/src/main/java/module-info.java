import org.jspecify.annotations.NullMarked;

/// Attacks on the host from inside containers with the default limits, run on the reader's own machine: which
/// limit stopped each, what a neighbour and the host noticed, and that nothing is left.
@NullMarked
module dev.caisson.selftest {
    requires transitive dev.caisson.engine;
    requires dev.caisson.network;
    requires static org.jspecify;

    exports dev.caisson.selftest;
}
