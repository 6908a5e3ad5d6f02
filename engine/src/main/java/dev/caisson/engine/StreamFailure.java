package dev.caisson.engine;

/// A standard stream of the program that the engine closed early, so that bytes were lost.
///
/// @param detail the failure in words, for people
public record StreamFailure(Stream stream, Reason reason, String detail) {
    /// The program's own names of its streams. All that comes from a terminal is [#STDOUT].
    public enum Stream {
        STDIN,
        STDOUT,
        STDERR
    }

    /// The kind of failure.
    public enum Reason {
        /// The caller's stream threw. The program sees the end of its input, or a pipe that nobody reads.
        FAILED,
        /// The caller's stream took too long with the last of the output, after the container had ended.
        BLOCKED
    }

    private static final int LONGEST_DETAIL = 300;

    static StreamFailure failed(Stream stream, Throwable why) {
        String text = why.toString();
        return new StreamFailure(
                stream, Reason.FAILED, text.length() <= LONGEST_DETAIL ? text : text.substring(0, LONGEST_DETAIL));
    }

    static StreamFailure blocked(Stream stream) {
        return new StreamFailure(stream, Reason.BLOCKED, "its reader did not take the rest of the output in time");
    }
}
