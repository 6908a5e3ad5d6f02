package dev.caisson.build;

import dev.caisson.image.PullListener;
import java.time.Duration;

/// Hears how a build goes on: from several threads, one call at a time. Steps of different stages go on beside each
/// other.
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
    /// @param isError whether to its standard error
    /// @param text whole lines, or a part of a long one
    default void output(int number, boolean isError, String text) {}

    /// The step has ended well.
    /// @param cached whether its result was there already
    default void ends(int number, boolean cached, Duration time) {}

    /// The step has failed, which ends the build unless another step has done so before.
    /// @param sentence what is wrong
    default void fails(int number, String sentence) {}

    /// The step was given up, as another one has failed or the build was interrupted.
    default void cancels(int number) {}

    /// Something is not as it was asked for, and the build goes on.
    default void warns(String sentence) {}

    /// An image is fetched.
    default PullListener pulls(String image) {
        return PullListener.none();
    }

    /// The image was fetched, or could not be.
    default void pulled(String image) {}

    /// Called several times a second while steps go on.
    default void waits() {}
}
