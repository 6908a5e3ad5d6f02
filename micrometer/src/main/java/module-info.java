import org.jspecify.annotations.NullMarked;

/// Meters of an engine's containers, for programs that collect metrics with Micrometer. A program that does
/// not, does without this module.
@NullMarked
module dev.caisson.micrometer {
    requires transitive dev.caisson.engine;
    requires transitive micrometer.core;
    requires static org.jspecify;

    exports dev.caisson.micrometer;
}
