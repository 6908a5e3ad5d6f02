package dev.caisson.gate.http2;

import java.time.Duration;

/// The longest waits of a connection.
///
/// @param head until a frame or header block that has begun is complete
/// @param idle without a stream
/// @param progress for the other side to take more
/// @param answer for the other side to send more
public record Patience(Duration head, Duration idle, Duration progress, Duration answer) {}
