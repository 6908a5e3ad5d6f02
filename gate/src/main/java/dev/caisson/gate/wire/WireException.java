package dev.caisson.gate.wire;

import java.io.IOException;

/// A message that the other side cannot have meant.
public final class WireException extends IOException {
    private static final long serialVersionUID = 1;

    public WireException(String message) {
        super(message);
    }
}
