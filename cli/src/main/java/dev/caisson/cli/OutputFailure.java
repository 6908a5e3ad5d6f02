package dev.caisson.cli;

import dev.caisson.audit.AuditException;
import java.io.PrintWriter;

/// Tells a report that did not arrive from one that did: a [PrintWriter] keeps its errors to itself until it is asked.
final class OutputFailure {
    private OutputFailure() {}

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
