package dev.caisson.state;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// State on disk that cannot be read or written, or does not allow what was asked for.
public final class StateException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// @param code stable, upper case with underscores
    /// @param sentence what is wrong, with the value, then what to do
    public StateException(String code, String sentence) {
        super(code, sentence);
    }

    public StateException(String code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    @Override
    public int httpStatus() {
        return switch (code()) {
            case "CONTAINER_AMBIGUOUS", "STORAGE_INODES" -> 400;
            case "CONTAINER_UNKNOWN", "TENANT_UNKNOWN", "WORKSPACE_UNKNOWN", "VOLUME_UNKNOWN" -> 404;
            case "CONTAINER_RUNNING",
                    "NAME_IN_USE",
                    "WORKSPACE_EXISTS",
                    "WORKSPACE_IN_USE",
                    "VOLUME_EXISTS",
                    "VOLUME_IN_USE" -> 409;
            case "STORAGE_FULL" -> 507;
            default -> 500;
        };
    }
}
