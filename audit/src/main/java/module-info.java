import org.jspecify.annotations.NullMarked;

/// Judges container files, and whatever else facts are gathered of, by checks that are pure functions: findings with
/// their evidence, waivers, baselines, reports in every format, and patches that a person applies.
@NullMarked
module dev.caisson.audit {
    requires static transitive org.jspecify;
    requires transitive dev.caisson.error;
    requires transitive dev.caisson.containerfile;
    requires transitive dev.caisson.image;
    requires dev.caisson.linux;
    requires transitive dev.caisson.scan;
    requires dev.caisson.text;
    requires io.avaje.jsonb;

    exports dev.caisson.audit;
}
