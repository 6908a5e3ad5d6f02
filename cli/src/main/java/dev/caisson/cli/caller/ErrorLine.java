package dev.caisson.cli.caller;

import dev.caisson.error.CaissonException;

/// The line on standard error that tells a user what went wrong.
public final class ErrorLine {
    private ErrorLine() {}

    public static String of(CaissonException problem) {
        return "caisson: " + problem.code() + ": " + OneLine.of(problem.sentence());
    }
}
