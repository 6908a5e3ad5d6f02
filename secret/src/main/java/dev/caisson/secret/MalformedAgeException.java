package dev.caisson.secret;

import java.io.Serial;

/// An age file that is malformed, was changed, or is not for the key at hand. Callers say which file it is.
final class MalformedAgeException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    MalformedAgeException() {
        super("not an age file for this key");
    }
}
