package dev.caisson.selftest;

import dev.caisson.spec.Bytes;
import java.time.Duration;
import java.util.List;

/// The outcome of an attack.
///
/// @param seen what the container saw
/// @param peakMemory of the container
/// @param peakPids of the container
/// @param neighbourWorst the longest that a second container took, from its launch to its end; zero where
///     none ran
/// @param failures everything that was not as it should be; none where the host held
public record Outcome(
        Attack attack, String seen, Bytes peakMemory, long peakPids, Duration neighbourWorst, List<String> failures) {
    public Outcome {
        failures = List.copyOf(failures);
    }

    public boolean held() {
        return failures.isEmpty();
    }
}
