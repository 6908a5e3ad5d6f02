package dev.caisson.spec;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.ErrnoException;

/// A limit that no kernel takes, or limits that contradict each other: a stable code for programs, and a sentence that
/// tells people what to do.
public final class LimitException extends CaissonException {
    private static final long serialVersionUID = 1L;

    private static final int BAD_REQUEST = 400;

    /// The kind of failure. The names are stable: programs may compare them.
    public enum Code {
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

    private final Code reason;

    public LimitException(Code reason, String sentence) {
        super(reason.name(), sentence);
        this.reason = reason;
    }

    public LimitException(Code reason, String sentence, ErrnoException cause) {
        super(reason.name(), sentence, cause);
        this.reason = reason;
    }

    /// The code as a constant; [#code] is its name.
    public Code reason() {
        return reason;
    }

    @Override
    public int httpStatus() {
        return BAD_REQUEST;
    }
}
