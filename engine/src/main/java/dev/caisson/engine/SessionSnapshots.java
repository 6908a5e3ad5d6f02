package dev.caisson.engine;

import dev.caisson.image.ImageStore;
import dev.caisson.image.Snapshot;
import dev.caisson.image.SnapshotName;
import dev.caisson.image.StoredSnapshots;
import dev.caisson.linux.Fd;
import java.time.Duration;
import java.util.OptionalLong;

/// Takes snapshots of an engine's sessions.
///
/// @param store gets them
/// @param layers has what the sessions write
record SessionSnapshots(ImageStore store, WritableLayers layers) {
    /// The longest time for which a container stands still.
    static final Duration STILL = Duration.ofSeconds(30);

    Snapshot take(Container container, SnapshotName name) {
        WritableLayers.Opened opened = layers.open(container.id(), container.plan())
                .orElseThrow(() -> new EngineException(
                        "CONTAINER_NOT_RUNNING", "the session " + container.name() + " has ended: open another"));
        try (DetachedChanges changes = opened.changes()) {
            var source = new StoredSnapshots.Source(container.name(), opened.image(), opened.rootfs());
            return store.snapshots().make(name, source, tree -> copy(container, changes, tree));
        }
    }

    private static long copy(Container container, DetachedChanges changes, Fd tree) {
        changes.awaitTurn(); // another snapshot lets it run on at its end
        boolean stood = container.isPaused();
        if (!stood) {
            container.pause();
        }
        try {
            long bytes = changes.copy(tree, deadline());
            if (!container.isPaused()) {
                throw StillFiles.changed(container.name());
            }
            return bytes;
        } finally {
            if (!stood) {
                container.resume();
            }
        }
    }

    static OptionalLong deadline() {
        return OptionalLong.of(System.nanoTime() + STILL.toNanos());
    }
}
