package dev.caisson.gate.http2;

import java.io.IOException;
import java.io.Serial;

/// An error that ends one stream, RFC 9113 section 5.4.2.
final class StreamException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final boolean received;

    private StreamException(ErrorCode code, String reason, boolean received) {
        super(reason);
        this.code = code;
        this.received = received;
    }

    /// Makes one that was found on this side.
    StreamException(ErrorCode code, String reason) {
        this(code, reason, false);
    }

    static StreamException received(ErrorCode code) {
        return new StreamException(code, "the other side ended the stream with " + code, true);
    }

    ErrorCode code() {
        return code;
    }

    /// True if the other side has ended the stream.
    boolean isReceived() {
        return received;
    }
}
