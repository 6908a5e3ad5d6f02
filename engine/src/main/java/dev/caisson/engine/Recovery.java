package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.SystemdScope;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.state.DiskLayers;
import dev.caisson.state.Groups;
import dev.caisson.state.HeldDirectories;
import dev.caisson.state.Ledger;
import dev.caisson.state.OwnPaths;
import dev.caisson.state.Places;
import dev.caisson.state.SharedDirectories;
import dev.caisson.state.SharedKind;
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

    /// Clears what one container has left whose monitor has ended. Looks at nobody else's, unlike
    /// [#run(EngineOptions)].
    ///
    /// @param parent of its control group
    /// @return false if its monitor still holds its place
    static boolean of(EngineOptions options, String place, String parent) {
        requireMay(options);
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            var layers = new DiskLayers(options.data(), State.lastingName(options.state()));
            return Places.clear(options.state(), place, id -> {
                hierarchy.find(parent, id).ifPresent(Cgroup::killAndRemove);
                layers.tryClear(id);
            });
        }
    }

    /// Does it without an engine.
    static void run(EngineOptions options) {
        requireMay(options);
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            var state = state(options);
            try (var networks = GuestNetworks.kept(options)) {
                var layers = new DiskLayers(options.data(), State.lastingName(options.state()));
                var shared = new HeldDirectories(List.of(
                        new SharedDirectories(options.data(), options.state(), SharedKind.WORKSPACE),
                        new SharedDirectories(options.data(), options.state(), SharedKind.VOLUME)));
                new Recovery(
                                state,
                                new Ledger(
                                        List.of(new Groups(hierarchy, state), networks, shared, layers.holding(state))),
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

    private static void requireMay(EngineOptions options) {
        HostAccess.requireRoot();
        HostAccess.requireNative();
        OwnPaths.requireTrustedData(options.data());
    }
}
