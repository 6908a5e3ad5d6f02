package dev.caisson.build;

import dev.caisson.image.PullListener;
import java.time.Duration;

/// Hears how a build goes on, in the thread that builds.
public interface BuildListener {
    /// Hears nothing.
    static BuildListener none() {
        return new BuildListener() {};
    }

    /// A step begins.
    ///
    /// @param number of the step in the whole build, from 1
    /// @param where the stage and the step in it: `builder 2/5`
    /// @param text the instruction
    default void begins(int number, String where, String text) {}

    /// The step's program has written something.
    /// @param text whole lines, or a part of a long one
    default void output(int number, String text) {}

    /// The step has ended well.
    /// @param cached whether its result was there already
    default void ends(int number, boolean cached, Duration time) {}

    /// Something is not as it was asked for, and the build goes on.
    default void warns(String sentence) {}

    /// An image is fetched.
    default PullListener pulls(String image) {
        return PullListener.none();
    }
}
