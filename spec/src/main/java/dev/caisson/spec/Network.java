package dev.caisson.spec;

/// The network of a container. Each has a stack of its own.
public sealed interface Network {
    /// Loopback alone.
    static Network none() {
        return new None();
    }

    /// A stack with nothing but its own loopback.
    record None() implements Network {}
}
