package dev.caisson.gate;

import java.io.IOException;

/// A connection that is not led on, with what its container is told.
final class Refused extends IOException {
    private static final long serialVersionUID = 1;

    private final String name;
    private final String reason;

    /// @param name that was greeted; empty if none was read
    Refused(String name, String reason) {
        super(reason);
        this.name = name;
        this.reason = reason;
    }

    String name() {
        return name;
    }

    String reason() {
        return reason;
    }
}
