package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Denial;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How one more program of a container ended and what it took: a value, equal to another with the same contents.
///
/// @param exitCode what the program returned; 0 where a signal ended it
/// @param signal that ended the program, 0 for none
/// @param output what it wrote to standard output, where that was captured
/// @param errors what it wrote to standard error, where that was captured
/// @param wallClock from its start to its end
/// @param cpuTime of the program and all that it started, also of what did not end with it
/// @param peakMemory most memory that one of its processes had in use at a time: the kernel charges memory to the
///     container as a whole. Zero where the program was killed before it could be told
/// @param oomKills how many processes of its container the kernel killed for memory while it ran
/// @param pidsRefused how many times its container was refused a new process while it ran
/// @param denials system calls of it and what it started that the filter denied, if the container's spec
///     asks for them
/// @param streamFailures standard streams that the engine closed early, so that bytes were lost
public record ExecResult(
        Verdict verdict,
        int exitCode,
        int signal,
        RunResult.Captured output,
        RunResult.Captured errors,
        Duration wallClock,
        Duration cpuTime,
        Bytes peakMemory,
        long oomKills,
        long pidsRefused,
        List<Denial> denials,
        List<StreamFailure> streamFailures) {
    private static final int SIGNALLED = 128;

    public ExecResult {
        present(verdict, "verdict");
        present(output, "output");
        present(errors, "errors");
        present(wallClock, "wallClock");
        present(cpuTime, "cpuTime");
        present(peakMemory, "peakMemory");
        denials = List.copyOf(present(denials, "denials"));
        streamFailures = List.copyOf(present(streamFailures, "streamFailures"));
    }

    /// A result for tests and fakes of services, of a program that took nothing.
    public static ExecResult of(Verdict verdict, int exitCode, String output, String errors) {
        return new ExecResult(
                verdict,
                exitCode,
                0,
                RunResult.Captured.of(output),
                RunResult.Captured.of(errors),
                Duration.ZERO,
                Duration.ZERO,
                Bytes.ZERO,
                0,
                0,
                List.of(),
                List.of());
    }

    public boolean isOk() {
        return verdict == Verdict.OK;
    }

    /// Returns the exit status of a command line: the program's own code, or 128 and its signal.
    public int exitStatus() {
        return signal == 0 ? exitCode : SIGNALLED + signal;
    }

    public String stdout() {
        return output.text();
    }

    public String stderr() {
        return errors.text();
    }

    /// Plain maps, lists, strings and numbers in a lasting order, for any JSON library.
    public Map<String, Object> fields() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("verdict", verdict.name());
        fields.put("exitStatus", exitStatus());
        fields.put("exitCode", exitCode);
        fields.put("signal", signal);
        fields.put("stdout", stdout());
        fields.put("stderr", stderr());
        fields.put("wallClockNanos", wallClock.toNanos());
        fields.put("cpuTimeNanos", cpuTime.toNanos());
        fields.put("peakMemory", peakMemory.count());
        fields.put("oomKills", oomKills);
        fields.put("pidsRefused", pidsRefused);
        fields.put("denials", denials.stream().map(Denial::fields).toList());
        fields.put("streamFailures", streamFailures.stream().map(Ending::fields).toList());
        return fields;
    }
}
