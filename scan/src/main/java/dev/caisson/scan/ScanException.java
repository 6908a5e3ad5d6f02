package dev.caisson.scan;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import java.io.Serial;

/// A scan that could not be made as it was asked for.
public final class ScanException extends CodedException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// The reason. Its name is the stable code.
    public enum Code implements ErrorCode {
        INPUT_MISSING(404),
        INPUT_UNREADABLE(400),
        RULES_INVALID(400);

        private final int httpStatus;

        Code(int httpStatus) {
            this.httpStatus = httpStatus;
        }

        @Override
        public int httpStatus() {
            return httpStatus;
        }
    }

    public ScanException(Code reason, String message) {
        super(reason, message);
    }

    public ScanException(Code reason, String message, Throwable cause) {
        super(reason, message, cause);
    }
}
