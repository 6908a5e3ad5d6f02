package dev.caisson.engine;

import java.time.Duration;
import java.util.Map;

/// Counts of an engine since it was opened, for meters. A launch is the time until the program may run; a run is
/// the time from there to its end.
///
/// @param launches containers that were started
/// @param launchTime of all of them together
/// @param failedLaunches calls that ended in an exception instead, refused ones included
/// @param ends runs that have ended, by verdict; every verdict has its number
/// @param runTime of all runs that have ended
/// @param running containers at this moment
/// @param queued launches that wait for one of the engine's threads at this moment
/// @param cpuTime of the engine's own threads and its helper process, without what containers use and without the
///     copying of streams in the caller's threads
public record EngineStatistics(
        long launches,
        Duration launchTime,
        long failedLaunches,
        Map<Verdict, Long> ends,
        Duration runTime,
        int running,
        int queued,
        Duration cpuTime) {
    public EngineStatistics {
        ends = Map.copyOf(ends);
    }
}
