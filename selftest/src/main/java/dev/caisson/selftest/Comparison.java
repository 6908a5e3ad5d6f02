package dev.caisson.selftest;

import dev.caisson.spec.Bytes;
import java.time.Duration;

/// The outcome of an attack in a container of dockerd with its default settings.
///
/// @param stoppedBy a limit, or the ceiling of the test where there is none
/// @param seen what the container saw
/// @param peakMemory of the container
/// @param neighbour what a second container saw, `ok` where it could work; empty where none ran
/// @param neighbourWorst the longest that a second container took, from its launch to its end
public record Comparison(String stoppedBy, String seen, Bytes peakMemory, String neighbour, Duration neighbourWorst) {}
