package dev.caisson.seccomp;

/// The return value of a filter for a call: a kind and, for ERRNO and TRACE, sixteen bits of data. seccomp(2), "The
/// filter return value".
public record Action(Kind kind, int data) {
    static final int EPERM = 1;
    static final int ENOSYS = 38;

    /// The kernel's largest error number; it clips larger ones.
    static final int MAX_ERRNO = 4095;

    public static final Action ALLOW = new Action(Kind.ALLOW, 0);
    public static final Action LOG = new Action(Kind.LOG, 0);
    public static final Action NOTIFY = new Action(Kind.NOTIFY, 0);
    public static final Action TRAP = new Action(Kind.TRAP, 0);
    public static final Action KILL_THREAD = new Action(Kind.KILL_THREAD, 0);
    public static final Action KILL_PROCESS = new Action(Kind.KILL_PROCESS, 0);

    /// The kinds, from the most to the least restrictive: the kernel's order among stacked filters.
    public enum Kind {
        KILL_PROCESS(0x80000000),
        KILL_THREAD(0x00000000),
        TRAP(0x00030000),
        ERRNO(0x00050000),
        NOTIFY(0x7fc00000),
        TRACE(0x7ff00000),
        LOG(0x7ffc0000),
        ALLOW(0x7fff0000);

        private final int value;

        Kind(int value) {
            this.value = value;
        }

        boolean takesData() {
            return this == ERRNO || this == TRACE;
        }
    }

    /// Checks the data.
    /// @throws SeccompException VALUE_OUT_OF_RANGE where the data does not fit the kind
    public Action {
        int limit = kind == Kind.ERRNO ? MAX_ERRNO : kind == Kind.TRACE ? 0xffff : 0;
        if (data < 0 || data > limit) {
            throw new SeccompException(
                    SeccompException.Code.VALUE_OUT_OF_RANGE,
                    "action " + kind + " takes a value from 0 to " + limit + ", not " + data);
        }
    }

    public static Action errno(int errno) {
        return new Action(Kind.ERRNO, errno);
    }

    /// An error by its name in errno(3), `EBUSY`.
    public static Action errno(String name) {
        return errno(Errnos.number(name).orElseThrow());
    }

    /// The action of a filter's return value, read as the kernel reads it: an action it does not know kills
    /// the process.
    public static Action ofReturnValue(int value) {
        int data = value & 0xffff;
        for (Kind kind : Kind.values()) {
            if (kind.value == (value & 0xffff0000)) {
                int kept = kind == Kind.ERRNO ? Math.min(data, MAX_ERRNO) : kind == Kind.TRACE ? data : 0;
                return new Action(kind, kept);
            }
        }
        return KILL_PROCESS;
    }

    /// The filter's return value, `SECCOMP_RET_…`.
    public int returnValue() {
        return kind.value | data;
    }

    /// By hand, as [#hashCode]: the JVM would make both when they are first called, which costs a cold command more.
    @Override
    public boolean equals(Object other) {
        return other instanceof Action action && kind == action.kind && data == action.data;
    }

    @Override
    public int hashCode() {
        return returnValue();
    }

    boolean isStricterThan(Action other) {
        return kind.compareTo(other.kind) < 0;
    }

    @Override
    public String toString() {
        return switch (kind) {
            case ERRNO -> "ERRNO(" + Errnos.name(data) + ")";
            case TRACE -> "TRACE(" + data + ")";
            case KILL_PROCESS, KILL_THREAD, TRAP, NOTIFY, LOG, ALLOW -> kind.name();
        };
    }
}
