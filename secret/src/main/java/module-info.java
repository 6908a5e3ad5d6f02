import org.jspecify.annotations.NullMarked;

/// Secrets of programs: an encrypted store on disk of which every file is an age file, so that values can be got back
/// without Caisson, with versions, expiry and a log of accesses. Values are in memory that is never swapped.
@NullMarked
module dev.caisson.secret {
    requires transitive dev.caisson.error;
    requires dev.caisson.linux;
    requires dev.caisson.text;
    requires io.avaje.json;
    requires static transitive org.jspecify;

    exports dev.caisson.secret;
}
