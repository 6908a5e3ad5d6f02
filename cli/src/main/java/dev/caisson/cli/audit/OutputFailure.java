package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Tells a report that did not arrive from one that did: a [PrintWriter] keeps its errors to itself until it is asked.
final class OutputFailure {
    private OutputFailure() {}

    /// A file could not be written.
    static AuditException of(Path file, IOException problem) {
        String reason = switch (problem) {
            case NoSuchFileException _ -> "there is no such directory";
            case AccessDeniedException _ -> "this user may not write there";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            case IOException e -> String.valueOf(e.getMessage());
        };
        return new AuditException(
                AuditException.Code.OUTPUT_FAILED, file + " cannot be written: " + reason + ".", problem);
    }

    /// Flushes standard output.
    /// @throws AuditException OUTPUT_FAILED where something that was printed could not be written
    static void check(PrintWriter out) {
        if (out.checkError()) {
            throw new AuditException(
                    AuditException.Code.OUTPUT_FAILED,
                    "standard output cannot be written; is its file system full, or its reader gone?");
        }
    }
}
