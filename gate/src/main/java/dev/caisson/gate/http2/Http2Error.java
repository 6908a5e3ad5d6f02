package dev.caisson.gate.http2;

import java.io.IOException;
import java.util.Optional;

/// An error of HTTP/2, RFC 9113 section 5.4.
///
/// @param ofConnection true if it ends the connection, and not one stream alone
/// @param received true if the other side has ended the stream
/// @param reason for people
public record Http2Error(ErrorCode code, boolean ofConnection, boolean received, String reason) {
    /// Returns the error that an exception of this package stands for; empty if the connection itself has failed.
    public static Optional<Http2Error> of(IOException exception) {
        return switch (exception) {
            case ConnectionException e -> Optional.of(new Http2Error(e.code(), true, false, e.reason()));
            case StreamException e ->
                Optional.of(new Http2Error(e.code(), false, e.isReceived(), String.valueOf(e.getMessage())));
            default -> Optional.empty();
        };
    }

    /// Returns the error if it concerns one stream alone.
    public static Optional<Http2Error> ofStream(IOException exception) {
        return of(exception).filter(error -> !error.ofConnection());
    }
}
