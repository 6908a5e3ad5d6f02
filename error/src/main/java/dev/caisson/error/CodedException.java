package dev.caisson.error;

import java.io.Serial;

/// A failure whose code is a constant of its room's enum.
public abstract class CodedException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode reason;

    /// @param sentence what is wrong, with the value, then what to do
    protected CodedException(ErrorCode reason, String sentence) {
        super(reason.name(), sentence);
        this.reason = reason;
    }

    /// @param cause the failure below
    protected CodedException(ErrorCode reason, String sentence, Throwable cause) {
        super(reason.name(), sentence, cause);
        this.reason = reason;
    }

    /// Returns the code as a constant; [#code] is its name.
    public ErrorCode reason() {
        return reason;
    }

    @Override
    public final int httpStatus() {
        return reason.httpStatus();
    }
}
