package dev.caisson.launch;

/// Why a container was not started. Every kind has a stable code, the status it maps to on a command line and over
/// HTTP, and a sentence that says what to do.
public abstract sealed class LaunchException extends RuntimeException
        permits RefusedException, StepFailedException, HostException {
    private static final long serialVersionUID = 1L;

    /// Exit status of a command line where the engine itself failed, as Docker's.
    public static final int EXIT_ENGINE = 125;

    private final String code;

    LaunchException(String code, String sentence) {
        super(sentence);
        this.code = code;
    }

    LaunchException(String code, String sentence, Throwable cause) {
        super(sentence, cause);
        this.code = code;
    }

    /// Stable, upper case with underscores.
    public String code() {
        return code;
    }

    /// 125 where the engine or the request is at fault, 126 a program that cannot be run, 127 one that is not there.
    public int exitStatus() {
        return EXIT_ENGINE;
    }

    /// 400 for a request at fault, 500 for the host's.
    public abstract int httpStatus();
}
