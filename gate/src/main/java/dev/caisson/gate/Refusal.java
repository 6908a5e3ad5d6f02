package dev.caisson.gate;

import java.io.Serial;

/// Something in a request or an answer that does not pass: the container is told why.
final class Refusal extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    static final int BAD_REQUEST = 400;
    static final int FORBIDDEN = 403;
    static final int MISDIRECTED = 421;
    static final int TOO_LARGE = 431;
    static final int NOT_IMPLEMENTED = 501;
    static final int BAD_GATEWAY = 502;
    static final int VERSION = 505;

    private final int status;
    private final boolean ofProtocol;

    /// @param status of HTTP
    /// @param sentence what is wrong, then what to do
    Refusal(int status, String sentence) {
        this(status, sentence, false);
    }

    private Refusal(int status, String sentence, boolean ofProtocol) {
        super(sentence);
        this.status = status;
        this.ofProtocol = ofProtocol;
    }

    static Refusal malformed(String sentence) {
        return new Refusal(BAD_REQUEST, sentence);
    }

    /// Makes one for a request with trailers: no rule sees them before the request has gone.
    static Refusal ofTrailers() {
        return new Refusal(
                NOT_IMPLEMENTED,
                "fields behind the body of a request (trailers) do not pass a gate: send them in its head");
    }

    /// The same for what a server sent.
    Refusal ofServer() {
        return status == BAD_GATEWAY ? this : new Refusal(BAD_GATEWAY, "in the server's answer " + getMessage());
    }

    /// Makes one for a server that speaks none of the versions of HTTP that it may.
    static Refusal ofProtocol(String sentence) {
        return new Refusal(BAD_GATEWAY, sentence, true);
    }

    /// True if the server speaks none of the versions of HTTP that it may.
    boolean isOfProtocol() {
        return ofProtocol;
    }

    int status() {
        return status;
    }

    String sentence() {
        return String.valueOf(getMessage());
    }

    String reason() {
        return switch (status) {
            case FORBIDDEN -> "Forbidden";
            case MISDIRECTED -> "Misdirected Request";
            case TOO_LARGE -> "Request Header Fields Too Large";
            case NOT_IMPLEMENTED -> "Not Implemented";
            case BAD_GATEWAY -> "Bad Gateway";
            case VERSION -> "HTTP Version Not Supported";
            default -> "Bad Request";
        };
    }
}
