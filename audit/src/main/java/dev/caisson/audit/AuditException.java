package dev.caisson.audit;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import java.io.Serial;

/// An audit that could not be made as it was asked for: exit code 2.
public final class AuditException extends CodedException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// The reason. Its name is the stable code.
    public enum Code implements ErrorCode {
        INPUT_MISSING(404),
        INPUT_UNREADABLE(400),
        INPUT_UNKNOWN(400),
        WAIVERS_INVALID(400),
        BASELINE_INVALID(400),
        OPTION_INVALID(400),
        OUTPUT_FAILED(500),
        ENGINE_UNREACHABLE(502),
        ENGINE_ANSWER(502),
        TARGET_UNKNOWN(404),
        FACTS_UNREADABLE(500);

        private final int httpStatus;

        Code(int httpStatus) {
            this.httpStatus = httpStatus;
        }

        @Override
        public int httpStatus() {
            return httpStatus;
        }
    }

    private static final int EXIT_AUDIT = 2;

    public AuditException(Code reason, String message) {
        super(reason, message);
    }

    public AuditException(Code reason, String message, Throwable cause) {
        super(reason, message, cause);
    }

    @Override
    public Code reason() {
        return (Code) super.reason();
    }

    /// Exit status of an audit that could not be made.
    @Override
    public int exitStatus() {
        return EXIT_AUDIT;
    }
}
