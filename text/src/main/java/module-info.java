import org.jspecify.annotations.NullMarked;

/// Text that others wrote: JSON is read by one strict parser with bounds, and what reaches a terminal is made harmless.
/// Every room that meets such text uses this one, so that no two of them understand it differently.
@NullMarked
module dev.caisson.text {
    requires transitive dev.caisson.error;
    requires static transitive org.jspecify;

    exports dev.caisson.text;
}
