package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.SeccompFilters;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.FilterDifference;
import dev.caisson.seccomp.SeccompException;
import java.util.Arrays;
import java.util.List;

/// Compares the instructions of the filters that a program runs under with the plan's, one by one. The kernel hands out
/// what was loaded, PTRACE_SECCOMP_GET_FILTER of ptrace(2), so equal bytes are an equal filter.
final class FilterCheck {
    private static final String SUBJECT = "seccomp filter";

    private FilterCheck() {}

    /// @param pid of the program, or of the process 1 that becomes it
    static Verifier.Check of(FilterProgram planned, int pid) {
        try {
            return compare(planned, SeccompFilters.of(pid));
        } catch (ErrnoException e) {
            return Verifier.Check.notEvaluated(SUBJECT, line(planned.bytes()), reason(e));
        }
    }

    static Verifier.Check compare(FilterProgram planned, List<byte[]> found) {
        String wanted = line(planned.bytes());
        if (found.stream().anyMatch(filter -> Arrays.equals(filter, planned.bytes()))) {
            int others = found.size() - 1;
            String more = others == 0 ? "" : ", and " + others + " more that can only tighten it";
            return new Verifier.Check(SUBJECT, wanted, "content as compiled: " + wanted + more, true);
        }
        String lines = found.isEmpty()
                ? "none"
                : String.join("; ", found.stream().map(FilterCheck::line).toList());
        return new Verifier.Check(SUBJECT, wanted, lines + difference(planned, found), false);
    }

    /// The oldest filter is the one that a launcher loaded.
    private static String difference(FilterProgram planned, List<byte[]> found) {
        if (found.isEmpty()) {
            return "";
        }
        try {
            List<FilterDifference> differences = FilterDifference.between(
                    Filter.of(Architecture.host(), planned.bytes()), Filter.of(Architecture.host(), found.getFirst()));
            long looser = differences.stream().filter(FilterDifference::loosens).count();
            return ": " + differences.size() + " decisions differ, " + looser + " of them let more through"
                    + differences.stream()
                            .filter(FilterDifference::loosens)
                            .findFirst()
                            .map(first -> ", as " + first)
                            .orElse("");
        } catch (SeccompException e) {
            return ": " + e.getMessage();
        }
    }

    private static String line(byte[] program) {
        Filter filter = Filter.of(Architecture.host(), program);
        return filter.length() + " instructions, sha256 " + filter.sha256().substring(0, 16);
    }

    private static String reason(ErrnoException e) {
        String name = Errno.name(e.errno());
        return switch (e.errno()) {
            case Errno.EACCES ->
                name + ", the kernel shows filters only to root with CAP_SYS_ADMIN that is under no filter itself";
            case Errno.EPERM -> name + ", another process traces the program, or this one may not";
            case Errno.EIO -> name + ", this kernel has no CONFIG_CHECKPOINT_RESTORE";
            case Errno.EBUSY ->
                name
                        + ", the program did not stop: it is frozen, waits for a device, or for a child to execute (vfork)";
            case Errno.ESRCH -> name + ", the program has ended";
            default -> name;
        };
    }
}
