import org.jspecify.annotations.NullMarked;

/// State of containers on disk: who runs what, names, groups, writable layers, logs and how each ended. Another
/// process reads it, and the next engine clears with it what a killed one left. It starts nothing.
@NullMarked
@SuppressWarnings("module") // those that it is exported to are compiled later
module dev.caisson.state {
    requires transitive dev.caisson.launch;
    requires dev.caisson.text;
    requires io.avaje.json;
    requires static org.jspecify;

    exports dev.caisson.state to
            dev.caisson.build,
            dev.caisson.cli,
            dev.caisson.engine,
            dev.caisson.watch;
}
