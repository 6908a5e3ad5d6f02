package dev.caisson.cli.front;

/// Whoever has connected does not keep to the protocol.
final class WireException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WireException(String what) {
        super(what);
    }
}
