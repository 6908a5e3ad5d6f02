package dev.caisson.engine;

import dev.caisson.cgroup.Bytes;
import dev.caisson.launch.ContainerId;
import dev.caisson.seccomp.LearnedProfile;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How a run ended and what it took.
///
/// @param exitCode what the program returned; 0 where a signal ended it
/// @param signal that ended the program, 0 for none
/// @param output what it wrote to standard output, where that was captured
/// @param errors what it wrote to standard error, where that was captured
/// @param wallClock from its start to its end
/// @param cpuTime of all its processes together
/// @param peakMemory the most that its processes and files in memory took at one time
/// @param oomKills how many of its processes the kernel killed for memory
/// @param pidsRefused how many times it was refused a new process
/// @param denials system calls that its filter denied, where that was watched
/// @param learned the profile that allows them too, where that was asked for
/// @param streamFailures standard streams that the engine closed early, so that bytes were lost
/// @param obstacles what stood in the way of a program that failed
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
        Optional<LearnedProfile> learned,
        List<StreamFailure> streamFailures,
        List<Obstacle> obstacles) {
    private static final int SIGNALLED = 128;

    public RunResult {
        denials = List.copyOf(denials);
        streamFailures = List.copyOf(streamFailures);
        obstacles = List.copyOf(obstacles);
    }

    /// Bytes that a program wrote.
    public static final class Captured {
        static final Captured NOTHING = new Captured(new byte[0]);

        private final byte[] bytes;

        Captured(byte[] bytes) {
            this.bytes = bytes;
        }

        public byte[] bytes() {
            return bytes.clone();
        }

        /// As UTF-8; what is no UTF-8 becomes U+FFFD.
        public String text() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        @Override
        public String toString() {
            return bytes.length + " bytes";
        }
    }

    public boolean isOk() {
        return verdict == Verdict.OK;
    }

    /// What a command line exits with: the program's own code, or 128 and its signal.
    public int exitStatus() {
        return signal == 0 ? exitCode : SIGNALLED + signal;
    }

    public String stdout() {
        return output.text();
    }

    public String stderr() {
        return errors.text();
    }
}
