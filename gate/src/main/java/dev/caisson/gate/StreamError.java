package dev.caisson.gate;

import dev.caisson.gate.http2.ErrorCode;
import dev.caisson.gate.http2.Http2Error;
import java.io.IOException;
import java.io.Serial;

/// Ends the stream of a request with a code in place of an answer.
final class StreamError extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final boolean noted;

    /// @param noted true if the container's events have why
    private StreamError(ErrorCode code, String reason, boolean noted) {
        super(reason);
        this.code = code;
        this.noted = noted;
    }

    /// Makes one for a message that is not what RFC 9113 section 8 has.
    static StreamError malformed(String reason) {
        return new StreamError(ErrorCode.PROTOCOL_ERROR, reason, true);
    }

    /// Makes one for what a side has said or done on its stream.
    static StreamError of(Http2Error error) {
        return new StreamError(
                error.code(), error.reason(), !error.received() && error.code() == ErrorCode.PROTOCOL_ERROR);
    }

    /// Makes one for a client whose connection has ended.
    static StreamError gone() {
        return new StreamError(ErrorCode.CANCEL, "the connection ended", false);
    }

    ErrorCode code() {
        return code;
    }

    boolean isNoted() {
        return noted;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
