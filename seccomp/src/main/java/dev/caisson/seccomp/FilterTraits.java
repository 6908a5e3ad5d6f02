package dev.caisson.seccomp;

/// The questions that are asked of a filter each time before it is loaded. The program alone decides it, so a cache
/// keeps the answers beside the program, and a cold command need not simulate it.
/// @param starts whether init can start a program under it, by execveat(2)
/// @param asks whether a listener can give its answers about `execveat`
/// @param installs whether it lets a program install filters, whatever the arguments of seccomp(2)
record FilterTraits(boolean starts, boolean asks, boolean installs) {
    private static final long AT_FDCWD = -100;

    private static final int STARTS = 1;
    private static final int ASKS = 2;
    private static final int INSTALLS = 4;

    static FilterTraits of(Filter filter) {
        return new FilterTraits(starts(filter), asks(filter), allowsByNumber(filter, filter.seccomp()));
    }

    /// The call with which init starts the program after it has loaded the filter.
    private static boolean starts(Filter filter) {
        Action.Kind kind = filter.decide(SeccompData.of(
                        filter.architecture(),
                        filter.execveat(),
                        AT_FDCWD,
                        0x7fff_0000_1000L,
                        0x7fff_0000_2000L,
                        0x7fff_0000_3000L,
                        0))
                .kind();
        return kind == Action.Kind.ALLOW || kind == Action.Kind.LOG;
    }

    /// It can let a call pass and fail it, and neither kill nor trace. One that decides in more ways than can be
    /// followed is taken for one that does more.
    private static boolean asks(Filter filter) {
        if (allowsByNumber(filter, filter.execveat())) {
            return true;
        }
        try {
            return Paths.of(filter, filter.architecture().auditValue(), filter.execveat()).stream()
                    .map(path -> path.action().kind())
                    .allMatch(kind -> kind == Action.Kind.ALLOW || kind == Action.Kind.ERRNO);
        } catch (SeccompException e) {
            return false;
        }
    }

    private static boolean allowsByNumber(Filter filter, int number) {
        return Simulator.allowsWithoutArguments(filter, SeccompData.of(filter.architecture(), number));
    }

    /// One digit, which [#parse] reads.
    char stored() {
        return (char) ('0' + (starts ? STARTS : 0) + (asks ? ASKS : 0) + (installs ? INSTALLS : 0));
    }

    static FilterTraits parse(char stored) {
        int bits = stored - '0';
        return new FilterTraits((bits & STARTS) != 0, (bits & ASKS) != 0, (bits & INSTALLS) != 0);
    }
}
