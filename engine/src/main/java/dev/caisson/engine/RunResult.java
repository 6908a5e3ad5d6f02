package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.cgroup.Totals;
import dev.caisson.seccomp.LearnedProfile;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import dev.caisson.spec.Usage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;

/// How a run ended and what it took: a value, equal to another with the same contents. A test makes one with [#of].
///
/// Libraries that write records as JSON can write it; there the output is Base64. [#fields] has it as text, in plain
/// maps, strings and numbers that every library takes.
///
/// @param exitCode what the program returned; 0 where a signal ended it
/// @param signal that ended the program, 0 for none
/// @param output what it wrote to standard output, where that was captured
/// @param errors what it wrote to standard error, where that was captured
/// @param wallClock from its start to its end
/// @param cpuTime of all its processes together
/// @param peakMemory most that was charged to its control group at one time, up to its memory limit: memory of its
///     processes, files in memory, and **page cache** of files that it read or wrote, which the kernel takes back
///     before it refuses memory. A program that reads a large file has a high peak and may still need little memory.
///     0 if the kernel does not keep it (cgroup v2 before Linux 5.19)
/// @param oomKills how many of its processes the kernel killed for memory
/// @param pidsRefused how many times it was refused a new process
/// @param denials system calls that its filter denied, where that was watched
/// @param deniedDestinations what its list of `--egress` kept from it, each once, the first 64
/// @param learned the profile that allows them too, where that was asked for
/// @param streamFailures standard streams that the engine closed early, so that bytes were lost
/// @param obstacles what stood in the way of a program that failed, and of programs that it started
/// @param setIdPrograms which programs could not change their user or group
/// @param resources what else it took
public record RunResult(
        ContainerId id,
        Verdict verdict,
        int exitCode,
        int signal,
        Captured output,
        Captured errors,
        Duration wallClock,
        Duration cpuTime,
        Bytes peakMemory,
        long oomKills,
        long pidsRefused,
        List<Denial> denials,
        List<DeniedDestination> deniedDestinations,
        Optional<LearnedProfile> learned,
        List<StreamFailure> streamFailures,
        List<Obstacle> obstacles,
        SetIdPrograms setIdPrograms,
        Resources resources) {
    private static final int SIGNALLED = 128;
    private static final ContainerId NOBODY = new ContainerId("0".repeat(64));

    public RunResult {
        present(id, "id");
        present(verdict, "verdict");
        present(output, "output");
        present(errors, "errors");
        present(wallClock, "wallClock");
        present(cpuTime, "cpuTime");
        present(peakMemory, "peakMemory");
        present(learned, "learned");
        present(setIdPrograms, "setIdPrograms");
        present(resources, "resources");
        denials = List.copyOf(present(denials, "denials"));
        deniedDestinations = List.copyOf(present(deniedDestinations, "deniedDestinations"));
        streamFailures = List.copyOf(present(streamFailures, "streamFailures"));
        obstacles = List.copyOf(present(obstacles, "obstacles"));
    }

    /// A result for tests and fakes of services, of a run that took nothing and wrote nothing.
    public static RunResult of(Verdict verdict, int exitCode) {
        return new RunResult(
                NOBODY,
                verdict,
                exitCode,
                0,
                Captured.NOTHING,
                Captured.NOTHING,
                Duration.ZERO,
                Duration.ZERO,
                Bytes.ZERO,
                0,
                0,
                List.of(),
                List.of(),
                Optional.empty(),
                List.of(),
                List.of(),
                SetIdPrograms.NONE,
                Resources.UNKNOWN);
    }

    /// The same with other output.
    public RunResult withOutput(String output, String errors) {
        return new RunResult(
                id,
                verdict,
                exitCode,
                signal,
                Captured.of(output),
                Captured.of(errors),
                wallClock,
                cpuTime,
                peakMemory,
                oomKills,
                pidsRefused,
                denials,
                deniedDestinations,
                learned,
                streamFailures,
                obstacles,
                setIdPrograms,
                resources);
    }

    RunResult withSetId(SetIdPrograms programs) {
        return new RunResult(
                id,
                verdict,
                exitCode,
                signal,
                output,
                errors,
                wallClock,
                cpuTime,
                peakMemory,
                oomKills,
                pidsRefused,
                denials,
                deniedDestinations,
                learned,
                streamFailures,
                Obstacle.with(obstacles, programs),
                programs,
                resources);
    }

    RunResult withDenied(List<DeniedDestination> destinations) {
        return new RunResult(
                id,
                verdict,
                exitCode,
                signal,
                output,
                errors,
                wallClock,
                cpuTime,
                peakMemory,
                oomKills,
                pidsRefused,
                denials,
                destinations,
                learned,
                streamFailures,
                obstacles,
                setIdPrograms,
                resources);
    }

    /// Bytes that a program wrote. Equal to others with the same bytes.
    ///
    /// @param bytes a copy is kept, and a copy is returned
    @SuppressWarnings("ArrayRecordComponent") // copied on both ways, compared by content
    public record Captured(byte[] bytes) {
        static final Captured NOTHING = new Captured(new byte[0]);

        public Captured {
            bytes = present(bytes, "bytes").clone();
        }

        public static Captured of(String text) {
            return new Captured(present(text, "text").getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public byte[] bytes() {
            return bytes.clone();
        }

        /// Returns the text as UTF-8; other bytes become U+FFFD.
        public String text() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Captured(byte[] others) && Arrays.equals(bytes, others);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }

        @Override
        public String toString() {
            return bytes.length + " bytes";
        }
    }

    /// The resources of a run besides time and memory. A figure that this kernel does not keep is empty.
    ///
    /// @param userTime processor time that its programs ran themselves
    /// @param systemTime processor time that the kernel ran for them
    /// @param peakPids most processes and threads at one time, init included; Linux 6.1 and later
    /// @param readBytes from all disks
    /// @param writtenBytes to all disks; in cgroup v1 without what the page cache writes later
    public record Resources(
            Duration userTime,
            Duration systemTime,
            OptionalLong peakPids,
            OptionalLong readBytes,
            OptionalLong writtenBytes) {
        static final Resources UNKNOWN = new Resources(
                Duration.ZERO, Duration.ZERO, OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());

        static Resources of(Totals totals) {
            return new Resources(
                    totals.userTime(),
                    totals.systemTime(),
                    totals.peakPids(),
                    sum(totals, Usage.Io::readBytes),
                    sum(totals, Usage.Io::writtenBytes));
        }

        private static OptionalLong sum(Totals totals, ToLongFunction<Usage.Io> figure) {
            return totals.io()
                    .map(disks ->
                            OptionalLong.of(disks.stream().mapToLong(figure).sum()))
                    .orElseGet(OptionalLong::empty);
        }

        /// Reads what [#put] has written; a figure that is missing is unknown.
        static Resources of(Map<?, ?> fields) {
            return new Resources(
                    Duration.ofNanos(number(fields, "userTimeNanos").orElse(0)),
                    Duration.ofNanos(number(fields, "systemTimeNanos").orElse(0)),
                    number(fields, "peakPids"),
                    number(fields, "readBytes"),
                    number(fields, "writtenBytes"));
        }

        private static OptionalLong number(Map<?, ?> fields, String name) {
            return fields.get(name) instanceof Number number
                    ? OptionalLong.of(number.longValue())
                    : OptionalLong.empty();
        }

        void put(Map<String, Object> fields) {
            fields.put("userTimeNanos", userTime.toNanos());
            fields.put("systemTimeNanos", systemTime.toNanos());
            peakPids.ifPresent(number -> fields.put("peakPids", number));
            readBytes.ifPresent(number -> fields.put("readBytes", number));
            writtenBytes.ifPresent(number -> fields.put("writtenBytes", number));
        }
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

    /// Plain maps, lists, strings and numbers in a lasting order, for any JSON library. Figures that the kernel does
    /// not keep are left out. The learned profile is not part of it; it has a form of its own.
    public Map<String, Object> fields() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("id", id.value());
        fields.put("verdict", verdict.name());
        fields.put("exitStatus", exitStatus());
        fields.put("exitCode", exitCode);
        fields.put("signal", signal);
        fields.put("stdout", stdout());
        fields.put("stderr", stderr());
        fields.put("wallClockNanos", wallClock.toNanos());
        fields.put("cpuTimeNanos", cpuTime.toNanos());
        fields.put("peakMemory", peakMemory.count());
        resources.put(fields);
        fields.put("oomKills", oomKills);
        fields.put("pidsRefused", pidsRefused);
        fields.put("streamFailures", streamFailures.stream().map(Ending::fields).toList());
        fields.put("obstacles", obstacles.stream().map(Obstacle::name).toList());
        setIdPrograms.put(fields);
        fields.put("denials", denials.stream().map(Denial::fields).toList());
        fields.put(
                "deniedDestinations",
                deniedDestinations.stream().map(DeniedDestination::fields).toList());
        return fields;
    }
}
