package dev.caisson.seccomp;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;

/// A profile or filter that cannot be used: a stable code and a sentence that tells what to do.
public final class SeccompException extends CodedException {
    private static final long serialVersionUID = 1L;

    /// The kind of failure, for programs. The names are stable.
    public enum Code implements ErrorCode {
        JSON_SYNTAX,
        UNKNOWN_KEY,
        DUPLICATE_KEY,
        MISSING_KEY,
        WRONG_TYPE,
        CONTRADICTION,
        UNKNOWN_ACTION,
        UNKNOWN_OPERATOR,
        UNKNOWN_ARCHITECTURE,
        UNKNOWN_CAPABILITY,
        UNKNOWN_ERRNO,
        UNKNOWN_FLAG,
        UNKNOWN_SYSCALL,
        BAD_ARGUMENT_INDEX,
        BAD_KERNEL_VERSION,
        VALUE_OUT_OF_RANGE,
        UNSUPPORTED_ARCHITECTURE,
        FILTER_TOO_LONG,
        FILTER_INVALID,
        FILTER_UNREADABLE,
        NEEDS_EXECVEAT,
        NOT_EXPORTABLE
    }

    public SeccompException(Code reason, String message) {
        super(reason, message);
    }

    public SeccompException(Code reason, String message, Throwable cause) {
        super(reason, message, cause);
    }

    /// The same, about the profile of that name.
    public SeccompException in(String profile) {
        return new SeccompException(reason(), profile + ": " + getMessage(), this);
    }

    @Override
    public Code reason() {
        return (Code) super.reason();
    }
}
