package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// The engine itself cannot do its work here.
public final class EngineException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// @param code stable, upper case with underscores
    /// @param sentence what is wrong, with the value, then what to do
    public EngineException(String code, String sentence) {
        super(code, sentence);
    }

    public EngineException(String code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    @Override
    public int httpStatus() {
        return switch (code()) {
            case "CONTAINER_AMBIGUOUS",
                    "HOST_PROCESS",
                    "NOT_WATCHABLE",
                    "SECRET_IN_IMAGE",
                    "SECRET_IN_SPEC",
                    "SECRET_ON_CHANGE",
                    "SECRET_VARIABLE",
                    "STOP_SIGNAL",
                    "STORAGE_INODES" -> 400;
            case "FILE_PATH", "FILE_IS_LINK", "FILE_IS_DIRECTORY", "FILE_NOT_DIRECTORY", "FILE_SPECIAL" -> 400;
            case "FILE_TOO_LARGE", "FILE_TREE_TOO_LARGE", "SESSION_PROGRAM", "SESSION_TERMINAL" -> 400;
            case "ARCHIVE",
                    "FILE_OWNER",
                    "HOST_FILE_KIND",
                    "LAYER_NAME",
                    "LAYER_DEVICE",
                    "LAYER_REDIRECT",
                    "CHANGE_REFUSED" -> 400;
            case "FILE_DENIED", "FILE_READ_ONLY", "HOST_FILE_DENIED" -> 403;
            case "FILE_NOT_FOUND", "HOST_FILE_NOT_FOUND" -> 404;
            case "COMMIT_REFUSED", "FILE_CHANGED", "FILE_EXISTS", "FILE_NOT_EMPTY", "FILE_BUSY" -> 409;
            case "FILE_SPACE", "HOST_SPACE" -> 507;
            case "CONTAINER_UNKNOWN", "CONTAINER_NOT_KEPT", "TENANT_UNKNOWN" -> 404;
            case "CONTAINER_ENDED", "CONTAINER_NOT_RUNNING", "CONTAINER_RUNNING", "NAME_IN_USE" -> 409;
            case "ENGINE_BROKEN", "ENGINE_CLOSED" -> 503;
            case "STORAGE_FULL" -> 507;
            default -> 500;
        };
    }
}
