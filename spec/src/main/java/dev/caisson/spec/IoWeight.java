package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.LimitException.Code;

/// Share of one disk against the other groups of the parent while it is busy.
///
/// @param weight 10 to 1000; a group that nothing is said of has 100
public record IoWeight(BlockDevice device, int weight) {
    static final int LEAST = 10;
    static final int MOST = 1000;

    /// Refuses what is outside of Docker's range.
    public IoWeight {
        present(device, "device");
        if (weight < LEAST || weight > MOST) {
            throw new LimitException(
                    Code.IO_OUT_OF_RANGE, "an I/O weight is " + LEAST + " to " + MOST + ", not " + weight);
        }
    }
}
