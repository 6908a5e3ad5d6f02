import org.jspecify.annotations.NullMarked;

/// The public Java API: an engine that runs programs in containers, tells how each ended and why, and leaves
/// nothing behind.
@NullMarked
module dev.caisson.engine {
    requires dev.caisson.gate;
    requires transitive dev.caisson.launch;
    requires transitive dev.caisson.state;
    requires transitive dev.caisson.watch;
    requires dev.caisson.scan;
    requires dev.caisson.secret;
    requires dev.caisson.text;
    requires io.avaje.json;
    requires jdk.jfr;
    requires static org.jspecify;

    exports dev.caisson.engine;
}
