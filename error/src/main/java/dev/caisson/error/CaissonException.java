package dev.caisson.error;

import java.io.Serial;
import java.util.Objects;

/// A failure that Caisson reports: a stable code for programs, and a sentence for people.
///
/// Every exception of every room extends it, so one `catch` covers whatever a call may fail with. A caller's own
/// mistake in Java, such as a null argument, stays a [NullPointerException] or an [IllegalArgumentException].
public abstract class CaissonException extends RuntimeException {
    /// Exit status of a command when the engine itself failed, as Docker's.
    public static final int EXIT_ENGINE = 125;

    @Serial
    private static final long serialVersionUID = 1L;

    private final String code;

    /// @param code stable, upper case with underscores, or a number of a list as `CF-101`
    /// @param sentence what is wrong, with the value, then what to do
    protected CaissonException(String code, String sentence) {
        super(sentence);
        this.code = Objects.requireNonNull(code, "code");
    }

    /// @param cause the failure below
    protected CaissonException(String code, String sentence, Throwable cause) {
        super(sentence, cause);
        this.code = Objects.requireNonNull(code, "code");
    }

    /// Stable: programs may compare it.
    public final String code() {
        return code;
    }

    /// Returns what is wrong, with the value, and what to do about it.
    public String sentence() {
        return String.valueOf(getMessage());
    }

    /// Exit status of a command that fails with this.
    public int exitStatus() {
        return EXIT_ENGINE;
    }

    /// Status of an HTTP answer that reports this: 4xx if the request is at fault, 5xx if the host or the engine is.
    public abstract int httpStatus();
}
