package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import java.util.Optional;

/// Published ports of a container that has ended. As long as they lead to it, what is sent to them is lost, and its
/// sender waits.
final class EndedPorts {
    private static final System.Logger LOG = System.getLogger(EndedPorts.class.getName());
    private static final String REMOVED = "CONTAINER_UNKNOWN";

    private EndedPorts() {}

    /// Has the host refuse connections to them until the next start. Whoever starts, changes or removes the container
    /// at the moment sees to them, as does its policy if it may start it again.
    ///
    /// @return false if somebody has the container's lock
    static boolean refuse(DetachedPlace place) throws InterruptedException {
        if (KeptSpec.of(place.id(), place.options())
                .filter(EndedPorts::publishes)
                .isEmpty()) {
            return true;
        }
        try {
            Optional<DetachedHold> found = place.tryHold();
            if (found.isEmpty()) {
                return false;
            }
            try (DetachedHold _ = found.get()) {
                if (place.told().filter(EndedPorts::hasEnded).isPresent()) {
                    GuestNetworks.withhold(place.options(), place.id());
                }
            }
        } catch (CaissonException e) { // it has ended all the same, and its next start does this again
            if (!e.code().equals(REMOVED)) {
                LOG.log(System.Logger.Level.WARNING, "published ports of an ended container are not refused", e);
            }
        }
        return true;
    }

    private static boolean publishes(ContainerSpec spec) {
        return spec.network() instanceof Network.Joined joined
                && (joined.ports().all() || !joined.ports().mappings().isEmpty());
    }

    static boolean hasEnded(MonitorState state) {
        return state.phase() == MonitorState.Phase.EXITED;
    }
}
