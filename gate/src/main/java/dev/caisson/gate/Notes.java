package dev.caisson.gate;

import dev.caisson.spec.Gate;

/// Takes notes of what passes a gate. Called by several threads; must not wait long.
public interface Notes {
    /// The value was put into a request.
    void used(Gate gate);

    /// Something was refused.
    ///
    /// @param host as far as it is known, else empty
    /// @param reason a few words, for people
    void refused(String host, int port, String reason);
}
