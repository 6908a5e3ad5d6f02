package dev.caisson.image;

/// Told how a pull or a push goes on; called by the threads that fetch or send, also by several at once.
public interface PullListener {
    /// Reports that the image's parts are known.
    ///
    /// @param layers how many layers it has
    /// @param bytes of configuration and layers together, as they are transferred
    default void started(int layers, long bytes) {}

    /// Reports how much of a layer is there. Of a push that has to send a part again it may be less than before.
    ///
    /// @param number from 0, lowest layer first
    /// @param isPresent true if the store, or the registry that it is pushed to, had it already
    default void layer(int number, Digest digest, long done, long size, boolean isPresent) {}

    /// Reports that a mirror did not give the image, so that the next one or the registry itself is asked.
    default void passedOver(String mirror, String sentence) {}

    /// Hears nothing.
    static PullListener none() {
        return new PullListener() {};
    }
}
