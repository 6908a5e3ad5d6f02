package dev.caisson.cli.caller;

import dev.caisson.error.CaissonException;

/// A failure that a command reports as one line, `caisson: CODE: sentence`, and an exit status of `docker run`'s
/// scheme.
public final class CommandException extends CaissonException {
    /// Caisson failed before a program of the container ran.
    public static final int ENGINE_FAILED = EXIT_ENGINE;

    /// Docker's exit status for an unknown command.
    public static final int UNKNOWN_COMMAND = 1;

    private static final long serialVersionUID = 1L;

    private final int exitStatus;

    /// Makes a failure with a code of its own.
    /// @param code stable, upper case, as `USAGE`
    /// @param sentence what is wrong and what to do about it
    public CommandException(String code, int exitStatus, String sentence) {
        super(code, sentence);
        this.exitStatus = exitStatus;
    }

    public CommandException(String code, int exitStatus, String sentence, Throwable cause) {
        this(code, exitStatus, sentence);
        initCause(cause);
    }

    public static CommandException usage(String sentence) {
        return new CommandException("USAGE", ENGINE_FAILED, sentence);
    }

    /// Refuses a value of an option.
    public static CommandException refused(String what, String advice) {
        return new CommandException("OPTION_REFUSED", ENGINE_FAILED, what + ": " + advice);
    }

    @Override
    public int httpStatus() {
        return 400;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}
