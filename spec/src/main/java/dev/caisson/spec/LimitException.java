package dev.caisson.spec;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import dev.caisson.linux.ErrnoException;

/// A limit that no kernel takes, or limits that contradict each other: a stable code for programs, and a sentence that
/// tells people what to do.
public final class LimitException extends CodedException {
    private static final long serialVersionUID = 1L;

    /// The kind of failure. The names are stable: programs may compare them.
    public enum Code implements ErrorCode {
        /// A size that is not a number with an optional unit.
        BAD_SIZE,
        /// A number of CPUs that is not a decimal number.
        BAD_CPUS,
        /// A list of CPUs or memory nodes that is none.
        BAD_CPU_LIST,
        /// Something else than a disk, or a rule for devices that is none.
        BAD_DEVICE,
        MEMORY_TOO_SMALL,
        RESERVATION_ABOVE_MEMORY,
        OOM_WITHOUT_MEMORY,
        SWAPPINESS_OUT_OF_RANGE,
        IO_OUT_OF_RANGE,
        SWAP_BELOW_MEMORY,
        SWAP_WITHOUT_MEMORY,
        CPU_PERIOD_OUT_OF_RANGE,
        CPU_QUOTA_TOO_SMALL,
        CPU_SHARES_OUT_OF_RANGE,
        PIDS_OUT_OF_RANGE
    }

    LimitException(Code reason, String sentence) {
        super(reason, sentence);
    }

    LimitException(Code reason, String sentence, ErrnoException cause) {
        super(reason, sentence, cause);
    }

    @Override
    public Code reason() {
        return (Code) super.reason();
    }
}
