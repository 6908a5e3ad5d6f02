package dev.caisson.launch;

import dev.caisson.error.CaissonException;

/// The reason why a container was not started. Every kind has a stable code, the status it maps to on a command line
/// and over HTTP, and a sentence that says what to do.
public abstract sealed class LaunchException extends CaissonException
        permits RefusedException, StepFailedException, HostException {
    private static final long serialVersionUID = 1L;

    LaunchException(String code, String sentence) {
        super(code, sentence);
    }

    LaunchException(String code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    /// 125 where the engine or the request is at fault, 126 a program that cannot be run, 127 one that is not there.
    @Override
    public int exitStatus() {
        return EXIT_ENGINE;
    }
}
