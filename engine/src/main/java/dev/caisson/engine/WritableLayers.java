package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.image.Rootfs;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.DiskLayers;
import dev.caisson.state.Holding;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The layers that an engine's containers write. One on disk is made here, one in memory by the zygote,
/// which lets nobody else see it; but that of a session is always made here, because snapshots are taken of
/// it.
final class WritableLayers implements Holding {
    /// The layer of a session, of which snapshots are taken.
    ///
    /// @param mount has the upper directory
    /// @param memory whether it is this object's to close
    private record OfSession(Fd mount, Image image, Rootfs rootfs, boolean memory) {}

    /// The changes of a session, and the image and root below them.
    ///
    /// @param changes the caller's to close
    record Opened(DetachedChanges changes, Image image, Rootfs rootfs) {}

    private final DiskLayers onDisk;
    private final Map<String, OfSession> sessions = new HashMap<>();

    WritableLayers(DiskLayers onDisk) {
        this.onDisk = onDisk;
    }

    /// Makes a layer, which stays this object's; empty if the zygote makes it.
    synchronized Optional<Fd> make(ContainerId id, Preparation.Prepared prepared, LaunchPlan plan) {
        Optional<Fd> made = onDisk.make(id, plan);
        if (!prepared.idle()) {
            return made;
        }
        Fd mount = made.orElseGet(() -> DetachedMaker.inMemory(plan));
        sessions.put(id.value(), new OfSession(mount, prepared.spec().image(), prepared.rootfs(), made.isEmpty()));
        return Optional.of(mount);
    }

    /// Opens what a session has changed; empty if it has ended.
    synchronized Optional<Opened> open(ContainerId id, LaunchPlan plan) {
        OfSession session = sessions.get(id.value());
        if (session == null) {
            return Optional.empty();
        }
        var layers = new ArrayList<Fd>();
        try {
            layers.add(session.mount().duplicate());
            layers.addAll(session.rootfs().openLayers()); // else the end of the session lets them go
            Fd upper = DetachedChanges.upper(session.mount());
            return Optional.of(new Opened(new DetachedChanges(plan, layers, upper), session.image(), session.rootfs()));
        } catch (RuntimeException e) {
            layers.forEach(Fd::close);
            throw e;
        }
    }

    @Override
    public synchronized void undo(String id) {
        OfSession session = sessions.remove(id);
        if (session != null && session.memory()) {
            session.mount().close();
        }
    }
}
