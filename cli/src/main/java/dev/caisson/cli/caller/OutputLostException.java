package dev.caisson.cli.caller;

import dev.caisson.error.CaissonException;
import java.io.IOException;

/// A standard stream of this process could not be written.
public final class OutputLostException extends CaissonException {
    /// The exit status of a process that ended by SIGPIPE, as a shell shows it.
    private static final int READER_GONE = 141;

    private static final long serialVersionUID = 1L;

    private final boolean readerGone;

    OutputLostException(String stream, IOException cause) {
        super(
                "OUTPUT_FAILED",
                stream + " cannot be written (" + cause.getMessage() + "): make room, or write elsewhere",
                cause);
        this.readerGone = String.valueOf(cause.getMessage()).contains("Broken pipe");
    }

    /// True if the other end of a pipe was closed, as by `head`: then nothing is to be told.
    public boolean readerIsGone() {
        return readerGone;
    }

    @Override
    public int httpStatus() {
        return 500;
    }

    /// Returns the exit status: that of SIGPIPE if the reader is gone, else `failed`.
    /// @param failed the status of the command's other failures
    public int exitStatus(int failed) {
        return readerGone ? READER_GONE : failed;
    }
}
