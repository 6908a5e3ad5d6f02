package dev.caisson.watch;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// System calls or filters of a process cannot be watched or read.
public final class WatchException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// @param code stable, upper case with underscores
    /// @param sentence what is wrong, with the value, then what to do
    public WatchException(String code, String sentence) {
        super(code, sentence);
    }

    public WatchException(String code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    @Override
    public int httpStatus() {
        return switch (code()) {
            case "CONTAINER_AMBIGUOUS", "HOST_PROCESS", "NOT_WATCHABLE" -> 400;
            case "CONTAINER_UNKNOWN" -> 404;
            case "CONTAINER_ENDED" -> 409;
            default -> 500;
        };
    }
}
