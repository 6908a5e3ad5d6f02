package dev.caisson.engine;

import dev.caisson.spec.ContainerSpec;
import java.util.List;

/// Makes a container again whose monitor is gone, after a restart of the host or because somebody killed it: its spec
/// and options are read from its directory, and its id, name, log and ends stay. What it had written in memory is gone.
final class Revival {
    private Revival() {}

    /// Does nothing for one that has its monitor.
    ///
    /// @param held its lock
    /// @throws EngineException SPEC_UNKNOWN, IMAGE_CHANGED, or what refuses a create
    static void ifLost(DetachedPlace place, DetachedPlace.Held held) throws InterruptedException {
        if (place.hasMonitor()) {
            return;
        }
        ContainerSpec spec = KeptSpec.read(held.kept()).orElseThrow(() -> unknown(place));
        MonitorLeftovers.clear(place);
        try (Engine engine = Engine.open(place.options())) {
            engine.maker.makeAgain(spec, place.home());
        }
    }

    private static EngineException unknown(DetachedPlace place) {
        return new EngineException(
                "SPEC_UNKNOWN",
                "container " + place.name()
                        + " has lost its monitor, and its spec cannot be read: remove it with 'caisson rm "
                        + place.name() + "' and create it again");
    }

    static List<String> losses(DetachedPlace place) {
        if (place.isWanted().isEmpty() || place.hasMonitor()) {
            return List.of();
        }
        try (DetachedPlace.Held held = place.hold()) {
            return KeptSpec.read(held.kept())
                            .filter(spec -> !spec.readOnlyRoot())
                            .isPresent()
                    ? List.of("/")
                    : List.of();
        }
    }
}
