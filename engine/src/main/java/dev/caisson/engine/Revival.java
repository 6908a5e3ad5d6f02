package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.spec.ContainerSpec;
import java.util.List;
import java.util.Optional;

/// Makes a container again whose monitor is gone, after a restart of the host or because somebody killed it or its
/// zygote: its spec and options are read from its directory, and its id, name, log and ends stay. What it had written
/// in memory is gone.
final class Revival {
    private Revival() {}

    /// Returns its monitor, and makes it again only if it has none, or one that has lost its zygote: nothing can be
    /// started of what that holds, and what was written in memory is gone with the zygote's mounts. At rest, such a
    /// monitor is ended.
    ///
    /// @param held its lock
    /// @throws EngineException SPEC_UNKNOWN, IMAGE_CHANGED, or what refuses a create
    static Monitor monitor(DetachedPlace place, DetachedHold held) throws InterruptedException {
        Optional<Monitor> found = standing(place);
        if (found.isPresent()) {
            return found.get();
        }
        ContainerSpec spec = KeptSpec.read(held.kept()).orElseThrow(() -> unknown(place));
        MonitorLeftovers.clear(place);
        try (Engine engine = Engine.open(place.options())) {
            engine.maker.makeAgain(spec, place.home());
        }
        if (!held.reread()) { // it has another place
            throw unknown(place);
        }
        return place.monitor();
    }

    /// Connects to a monitor that can start it, or does not end because it runs.
    private static Optional<Monitor> standing(DetachedPlace place) throws InterruptedException {
        Optional<Monitor> found = place.connect();
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Monitor monitor = found.get();
        boolean stands = false;
        try {
            stands = !monitor.state().isZygoteGone() || !monitor.remove(false);
        } catch (HostException e) {
            if (!MonitorFailures.isGone(e)) {
                throw e;
            }
        } finally {
            if (!stands) {
                monitor.close();
            }
        }
        return stands ? found : Optional.empty();
    }

    private static EngineException unknown(DetachedPlace place) {
        return new EngineException(
                "SPEC_UNKNOWN",
                "container " + place.name()
                        + " has lost its monitor, and its spec cannot be read: remove it with 'caisson rm "
                        + place.name() + "' and create it again");
    }

    static List<String> losses(DetachedPlace place) {
        boolean stands = Failures.uninterrupted(place::told)
                .flatMap(told -> told)
                .filter(told -> !told.isZygoteGone())
                .isPresent();
        if (stands || place.isWanted().isEmpty()) {
            return List.of();
        }
        try (DetachedHold held = place.hold()) {
            return KeptSpec.read(held.kept())
                            .filter(spec -> !spec.readOnlyRoot())
                            .isPresent()
                    ? List.of("/")
                    : List.of();
        }
    }
}
