package dev.caisson.cli.text;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.ExecResult;
import dev.caisson.engine.Obstacle;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.SetIdPrograms;
import dev.caisson.engine.StreamFailure;
import dev.caisson.engine.Verdict;
import java.util.ArrayList;
import java.util.List;

/// How a container ended, where its exit status does not say it, which limits it met, and which of its calls were
/// denied.
public final class EndText {
    private EndText() {}

    /// The lines that `run` prints after a program: of one that ended well, not the calls that it did without.
    public static List<String> ofRun(RunResult result) {
        List<String> lines = ofLimits(result);
        if (result.verdict() != Verdict.OK || result.denials().stream().anyMatch(DenialText::isPassed)) {
            lines.addAll(DenialText.lines(result.denials()));
        }
        if (result.verdict() != Verdict.OK) {
            lines.addAll(DenialText.destinations(result.deniedDestinations()));
        }
        return lines;
    }

    /// The lines that `exec` prints after a program that failed.
    public static List<String> ofExec(ExecResult result) {
        var lines = new ArrayList<String>();
        if (result.verdict() == Verdict.OK) {
            return lines;
        }
        if (result.oomKills() > 0) {
            lines.add("caisson: "
                    + (result.verdict() == Verdict.OUT_OF_MEMORY ? Verdict.OUT_OF_MEMORY + ": it was killed, and " : "")
                    + "while it ran, the kernel killed " + result.oomKills()
                    + " of the container's processes at its memory limit: give it more with --memory");
        }
        if (result.pidsRefused() > 0) {
            lines.add("caisson: while it ran, the container was refused a process " + result.pidsRefused()
                    + " times: give it more with --pids-limit");
        }
        lines.addAll(DenialText.lines(result.denials()));
        return lines;
    }

    private static String name(StreamFailure.Stream stream) {
        return switch (stream) {
            case STDIN -> "standard input";
            case STDOUT -> "standard output";
            case STDERR -> "standard error";
        };
    }

    /// The lines that `logs` prints after what the program wrote: all that is known.
    public static List<String> ofLog(RunResult result) {
        List<String> lines = ofLimits(result);
        lines.addAll(DenialText.lines(result.denials()));
        lines.addAll(DenialText.destinations(result.deniedDestinations()));
        return lines;
    }

    private static List<String> ofLimits(RunResult result) {
        var lines = new ArrayList<String>();
        Verdict verdict = result.verdict();
        if (verdict != Verdict.OK && verdict != Verdict.EXIT && verdict != Verdict.SIGNAL) {
            lines.add("caisson: " + verdict + ": " + reason(result));
        }
        result.streamFailures()
                .forEach(failure -> lines.add("caisson: its " + name(failure.stream()) + " was closed before its end: "
                        + OneLine.of(failure.detail())));
        result.obstacles().stream()
                .filter(obstacle -> obstacle != Obstacle.SET_ID_WITHOUT_EFFECT
                        || result.setIdPrograms().files().isEmpty())
                .forEach(obstacle -> lines.add("caisson: " + obstacle + ": " + obstacle.sentence()));
        lines.addAll(setId(result.setIdPrograms()));
        if (verdict != Verdict.OUT_OF_MEMORY && result.oomKills() > 0) {
            lines.add("caisson: " + outOfMemory(result));
        }
        if (verdict != Verdict.PIDS && result.pidsRefused() > 0) {
            lines.add("caisson: " + pids(result));
        }
        return lines;
    }

    /// The lines about set-user-ID and set-group-ID programs that were executed without effect.
    public static List<String> setId(SetIdPrograms programs) {
        var lines = new ArrayList<String>();
        Obstacle obstacle = Obstacle.SET_ID_WITHOUT_EFFECT;
        programs.files()
                .forEach(file ->
                        lines.add("caisson: " + obstacle + ": " + OneLine.of(file) + ": " + obstacle.sentence()));
        if (!lines.isEmpty() && !programs.missing().isEmpty()) {
            lines.add("caisson: " + obstacle + ": some may be missing, because " + OneLine.of(programs.missing()));
        }
        return lines;
    }

    private static String outOfMemory(RunResult result) {
        String most = result.peakMemory().count() == 0 ? "" : "; most in use was " + result.peakMemory();
        return "the kernel killed " + result.oomKills() + " of its processes at its memory limit" + most
                + ": give it more with --memory";
    }

    private static String pids(RunResult result) {
        return "was refused a process " + result.pidsRefused() + " times: give it more with --pids-limit";
    }

    private static String reason(RunResult result) {
        return switch (result.verdict()) {
            case WALL_CLOCK ->
                "ended at its deadline, after " + result.wallClock().toMillis() + " ms";
            case CPU_TIME ->
                "ended when its processor time was used up, " + result.cpuTime().toMillis() + " ms";
            case OUTPUT -> "ended when it had written more than its output limit, or than this engine has room for";
            case OUT_OF_MEMORY -> outOfMemory(result);
            case PIDS -> pids(result);
            case SECCOMP -> "made a system call for which its filter kills";
            case KILLED -> "was ended";
            case OK, EXIT, SIGNAL -> "";
        };
    }
}
