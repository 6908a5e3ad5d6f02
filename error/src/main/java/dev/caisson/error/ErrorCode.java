package dev.caisson.error;

import java.io.Serializable;

/// One kind of failure. Each room has an enum of its own; the names are stable, and programs may compare them.
public interface ErrorCode extends Serializable {
    /// The stable name, upper case with underscores.
    String name();

    /// Returns the status of an HTTP answer: 400 unless the kind says otherwise.
    default int httpStatus() {
        return 400;
    }
}
