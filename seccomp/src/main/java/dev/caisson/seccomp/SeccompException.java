package dev.caisson.seccomp;

/// A profile or filter that cannot be used: a stable code and a sentence that tells what to do.
public final class SeccompException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// What is wrong, for programs. The names are stable.
    public enum Code {
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
        NEEDS_EXECVEAT
    }

    private final Code code;

    public SeccompException(Code code, String message) {
        super(message);
        this.code = code;
    }

    SeccompException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /// The same, about the profile of that name.
    public SeccompException in(String profile) {
        return new SeccompException(code, profile + ": " + getMessage(), this);
    }

    public Code code() {
        return code;
    }

    /// The exit status of a command that fails with this, docker's for "the engine refused".
    public int exitCode() {
        return 125;
    }

    /// The status of an HTTP answer that tells this.
    public int httpStatus() {
        return 400;
    }
}
