package dev.caisson.image;

/// Told how the resolving of an image goes on; called from the resolving thread.
@FunctionalInterface
public interface ProgressListener {
    /// Reports how much of an activity is done.
    ///
    /// @param activity what is done, for people: `unpacking layer 2 of 5`
    /// @param done bytes
    /// @param total bytes; -1 where not known
    void progress(String activity, long done, long total);

    /// Hears nothing.
    static ProgressListener none() {
        return (activity, done, total) -> {};
    }
}
