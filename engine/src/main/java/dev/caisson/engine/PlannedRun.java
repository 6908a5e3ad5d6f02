package dev.caisson.engine;

import dev.caisson.image.ProgressListener;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.spec.ContainerSpec;

/// The plan of a run, of which nothing is made: it holds for this moment.
///
/// @param network the places that it would get; a port that asks for any free one has the number 0
@SuppressWarnings("exports") // for Caisson's own modules
public record PlannedRun(LaunchPlan launch, NetworkPlaces network) {
    /// Plans a run. Needs no privileges but to read the image and, for networks, what is recorded of them.
    public static PlannedRun of(ContainerSpec spec, EngineOptions options, ProgressListener progress) {
        HostAccess.requireNative();
        return Failures.call(() -> Preparation.plan(spec, options, progress));
    }
}
