package dev.caisson.network.names;

/// Bounds on what one container may make its resolver do, because the host pays for that.
///
/// @param perSecond queries that are read and connections that are accepted in a second; more queries wait in the
///     socket, and are lost when it is full
/// @param inFlight queries for which other servers are asked at once; more are answered with SERVFAIL
/// @param connections TCP connections at once; more wait to be accepted
public record Bounds(int perSecond, int inFlight, int connections) {
    /// The bounds of a container that nobody asked to be different.
    public static final Bounds STANDARD = new Bounds(1000, 64, 16);
}
