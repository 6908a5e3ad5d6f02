package dev.caisson.engine;

import dev.caisson.error.ArgumentException;

/// Numbers of signals, as callers give them.
final class SignalNumber {
    private static final int LAST = 64; // _NSIG

    private SignalNumber() {}

    /// Returns a number that the kernel takes; 0 asks whether there is a process.
    static int require(int number) {
        if (number < 0 || number > LAST) {
            throw ArgumentException.invalid(
                    "signal " + number + " is not between 0 and " + LAST + ": give one that is");
        }
        return number;
    }
}
