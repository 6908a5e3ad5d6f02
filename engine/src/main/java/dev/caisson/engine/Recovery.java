package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.SystemdScope;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.state.DiskLayers;
import dev.caisson.state.Groups;
import dev.caisson.state.OwnPaths;
import dev.caisson.state.State;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Removes what engines and monitors have left that ended without clearing up.
final class Recovery {
    private final EngineOptions options;
    private final State state;
    private final Groups groups;
    private final DiskLayers diskLayers;
    private final Probe probe;

    Recovery(EngineOptions options, State state, Groups groups, DiskLayers diskLayers, Probe probe) {
        this.options = options;
        this.state = state;
        this.groups = groups;
        this.diskLayers = diskLayers;
        this.probe = probe;
    }

    void run() {
        // Read when the first of them is found, while nobody else removes or adds one of a dead engine.
        var parents = new AtomicReference<@Nullable Map<String, String>>();
        state.recover(
                id -> {
                    Map<String, String> known = parents.get();
                    if (known == null) {
                        known = Groups.parents(options.state());
                        parents.set(known);
                    }
                    groups.clear(id, known);
                    diskLayers.tryClear(id);
                    probe.reached(Moment.LEFTOVER_REMOVED);
                },
                () -> {
                    groups.removeUnrecorded();
                    diskLayers.removeUnrecorded(state);
                });
    }

    /// Opens the state directory, with a place of its own.
    static State state(EngineOptions options) {
        return new State( options.state(), options.driver() == CgroupDriver.SYSTEMD ? SystemdScope::group : UnaryOperator.identity());
    }

    /// Does it without an engine.
    static void run(EngineOptions options) {
        HostAccess.requireRoot();
        HostAccess.requireNative();
        OwnPaths.requireTrustedData(options.data());
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            var state = state(options);
            try {
                new Recovery(
                                options,
                                state,
                                new Groups(hierarchy, state),
                                new DiskLayers(options.data(), State.lastingName(options.state())),
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
