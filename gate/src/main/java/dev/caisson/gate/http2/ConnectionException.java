package dev.caisson.gate.http2;

import java.io.IOException;
import java.io.Serial;

/// An error that ends a connection, RFC 9113 section 5.4.1.
final class ConnectionException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    ConnectionException(ErrorCode code, String reason) {
        super(reason);
        this.code = code;
    }

    ErrorCode code() {
        return code;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
