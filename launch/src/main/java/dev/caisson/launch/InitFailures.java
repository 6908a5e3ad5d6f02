package dev.caisson.launch;

import dev.caisson.linux.Errno;
import java.util.List;

/// Errors for what init tells, and for an init that tells nothing.
public final class InitFailures {
    private InitFailures() {}

    /// Makes the error for an init that ended before it ran the program and reported no error.
    public static HostException died() {
        return new HostException(
                "INIT_DIED",
                "the container was killed before its program was started: by somebody, as 'caisson rm -f' does, or by the"
                        + " kernel, if the host is out of memory, which dmesg tells");
    }

    /// Makes the error for a report, in terms of the plan's steps.
    public static LaunchException of(List<Step> steps, Report report) {
        if (report.step() < 0 || report.step() >= steps.size()) {
            return new HostException(
                    "INIT_FAILED",
                    "init failed before its first step (" + Errno.name(report.status())
                            + (report.detail() == 0 ? "" : ", plan rule " + report.detail()) + ")");
        }
        Step step = steps.get(report.step());
        return Phase.ofNumber(report.phase())
                .map(phase -> StepFailedException.of(step, phase, report.status()))
                .orElseGet(() -> StepFailedException.of(step, report.status()));
    }
}
