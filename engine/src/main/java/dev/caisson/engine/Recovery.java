package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.SystemdScope;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.state.DiskLayers;
import dev.caisson.state.Groups;
import dev.caisson.state.Ledger;
import dev.caisson.state.OwnPaths;
import dev.caisson.state.State;
import java.util.List;
import java.util.function.UnaryOperator;

/// Removes what engines and monitors have left that ended without clearing up.
final class Recovery {
    private final State state;
    private final Ledger ledger;
    private final Probe probe;

    Recovery(State state, Ledger ledger, Probe probe) {
        this.state = state;
        this.ledger = ledger;
        this.probe = probe;
    }

    void run() {
        state.recover(
                id -> {
                    ledger.clear(id);
                    probe.reached(Moment.LEFTOVER_REMOVED);
                },
                ledger::clearUnrecorded);
    }

    /// Opens the state directory, with a place of its own.
    static State state(EngineOptions options) {
        return new State(
                options.state(),
                options.driver() == CgroupDriver.SYSTEMD ? SystemdScope::group : UnaryOperator.identity());
    }

    /// Does it without an engine.
    static void run(EngineOptions options) {
        HostAccess.requireRoot();
        HostAccess.requireNative();
        OwnPaths.requireTrustedData(options.data());
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            var state = state(options);
            try {
                var layers = new DiskLayers(options.data(), State.lastingName(options.state()));
                new Recovery(
                                state,
                                new Ledger(List.of(new Groups(hierarchy, state), layers.holding(state))),
                                Probe.NONE)
                        .run();
            } finally {
                state.close(() -> {
                    if (hierarchy.leftovers(state.cgroupParent()).isEmpty()) {
                        hierarchy.removeParent(state.cgroupParent());
                    }
                });
            }
        }
    }
}
