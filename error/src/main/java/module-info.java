import org.jspecify.annotations.NullMarked;

/// The common ancestor of every exception that Caisson throws: a stable code, a sentence, and the statuses that a
/// command line and an HTTP interface answer with.
@NullMarked
module dev.caisson.error {
    requires static transitive org.jspecify;

    exports dev.caisson.error;
}
