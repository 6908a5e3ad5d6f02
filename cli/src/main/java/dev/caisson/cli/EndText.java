package dev.caisson.cli;

import dev.caisson.engine.RunResult;
import dev.caisson.engine.StreamFailure;
import dev.caisson.engine.Verdict;
import java.util.ArrayList;
import java.util.List;

/// How a container ended, where its exit status does not say it, and which of its calls were denied: the lines that
/// `run` prints after a program and `logs` after what it wrote.
final class EndText {
    private EndText() {}

    static List<String> lines(RunResult result) {
        var lines = new ArrayList<String>();
        if (result.verdict() != Verdict.OK && result.verdict() != Verdict.EXIT && result.verdict() != Verdict.SIGNAL) {
            lines.add("caisson: " + result.verdict() + ": " + reason(result));
        }
        result.streamFailures()
                .forEach(failure -> lines.add("caisson: its " + name(failure.stream()) + " was closed before its end: "
                        + OneLine.of(failure.detail())));
        result.obstacles().forEach(obstacle -> lines.add("caisson: " + obstacle + ": " + obstacle.sentence()));
        if (result.verdict() != Verdict.OK || result.denials().stream().anyMatch(DenialText::isPassed)) {
            lines.addAll(DenialText.lines(result.denials()));
        }
        return lines;
    }

    private static String name(StreamFailure.Stream stream) {
        return switch (stream) {
            case STDIN -> "standard input";
            case STDOUT -> "standard output";
            case STDERR -> "standard error";
        };
    }

    private static String reason(RunResult result) {
        return switch (result.verdict()) {
            case WALL_CLOCK ->
                "ended at its deadline, after " + result.wallClock().toMillis() + " ms";
            case CPU_TIME ->
                "ended when its processor time was used up, " + result.cpuTime().toMillis() + " ms";
            case OUTPUT -> "ended when it had written more than its output limit, or than this engine has room for";
            case OUT_OF_MEMORY ->
                "the kernel killed " + result.oomKills() + " of its processes at its memory limit; most in use was "
                        + result.peakMemory() + ": give it more with --memory";
            case PIDS -> "was refused a process " + result.pidsRefused() + " times: give it more with --pids-limit";
            case SECCOMP -> "made a system call for which its filter kills";
            case KILLED -> "was ended";
            case OK, EXIT, SIGNAL -> "";
        };
    }
}
