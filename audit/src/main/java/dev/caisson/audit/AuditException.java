package dev.caisson.audit;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// An audit that could not be made as it was asked for: exit code 2.
public final class AuditException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// The reason. Its name is the stable code.
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

    private static final int EXIT_AUDIT = 2;

    private final Code reason;

    public AuditException(Code reason, String message) {
        super(reason.name(), message);
        this.reason = reason;
    }

    public AuditException(Code reason, String message, Throwable cause) {
        super(reason.name(), message, cause);
        this.reason = reason;
    }

    /// The code as a constant; [#code] is its name.
    public Code reason() {
        return reason;
    }

    /// Exit status of an audit that could not be made.
    @Override
    public int exitStatus() {
        return EXIT_AUDIT;
    }

    @Override
    public int httpStatus() {
        return switch (reason) {
            case INPUT_MISSING, TARGET_UNKNOWN -> 404;
            case INPUT_UNREADABLE, INPUT_UNKNOWN, WAIVERS_INVALID, BASELINE_INVALID, OPTION_INVALID -> 400;
            case ENGINE_UNREACHABLE, ENGINE_ANSWER -> 502;
            case OUTPUT_FAILED, FACTS_UNREADABLE -> 500;
        };
    }
}
