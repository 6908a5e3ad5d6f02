package dev.caisson.audit;

import java.io.Serial;

/// An audit that could not be made as it was asked for: exit code 2.
public final class AuditException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// Why. The name is the stable code.
    public enum Code {
        INPUT_MISSING,
        INPUT_UNREADABLE,
        INPUT_UNKNOWN,
        WAIVERS_INVALID,
        BASELINE_INVALID,
        OPTION_INVALID,
        OUTPUT_FAILED,
        ENGINE_UNREACHABLE,
        ENGINE_ANSWER,
        TARGET_UNKNOWN,
        FACTS_UNREADABLE
    }

    private final Code code;

    public AuditException(Code code, String message) {
        super(message);
        this.code = code;
    }

    public AuditException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    public Code code() {
        return code;
    }
}
