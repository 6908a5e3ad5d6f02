package dev.caisson.engine;

import dev.caisson.image.Layer;
import dev.caisson.image.Rootfs;
import dev.caisson.linux.Fd;
import dev.caisson.state.Holding;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The unpacked layers that this engine's containers use: as long as one is open, nobody removes it. Containers of
/// the same layer share a descriptor. The kernel closes those of an engine that was killed.
final class HeldLayers implements Holding {
    private static final class Shared {
        private final Fd fd;
        private int users;

        Shared(Fd fd) {
            this.fd = fd;
        }
    }

    /// The layers of one container, to be mounted.
    ///
    /// @param all topmost first
    /// @param mounted those of each image that is mounted
    /// @param others those among them that the store does not remove, which are closed with this
    record Opened(List<Fd> all, List<List<Fd>> mounted, List<Fd> others) implements AutoCloseable {
        @Override
        public void close() {
            others.forEach(Fd::close);
        }
    }

    private final Map<Layer, Shared> shared = new HashMap<>();
    private final Map<String, List<Layer>> held = new HashMap<>();

    /// Opens the layers of a container, and keeps them from being removed until [#undo].
    ///
    /// @param mounted the images that it has mounted
    synchronized Opened open(String id, Rootfs rootfs, List<Rootfs> mounted) {
        var others = new ArrayList<Fd>();
        var taken = new ArrayList<Layer>();
        try {
            List<Fd> all = open(rootfs, others, taken);
            var each = new ArrayList<List<Fd>>();
            for (Rootfs one : mounted) {
                each.add(open(one, others, taken));
            }
            if (!taken.isEmpty()) {
                held.put(id, taken);
            }
            return new Opened(all, each, others);
        } catch (RuntimeException e) {
            others.forEach(Fd::close);
            taken.forEach(this::giveBack);
            throw e;
        }
    }

    private List<Fd> open(Rootfs rootfs, List<Fd> others, List<Layer> taken) {
        var all = new ArrayList<Fd>();
        for (Layer layer : rootfs.layers()) {
            if (layer.removable()) {
                all.add(take(layer));
                taken.add(layer);
            } else {
                others.add(layer.open());
                all.add(others.getLast());
            }
        }
        return all;
    }

    private Fd take(Layer layer) {
        Shared open = shared.computeIfAbsent(layer, it -> new Shared(it.open()));
        open.users++;
        return open.fd;
    }

    private void giveBack(Layer layer) {
        Shared open = shared.get(layer);
        if (open != null && --open.users == 0) {
            shared.remove(layer);
            open.fd.close();
        }
    }

    @Override
    public synchronized void undo(String id) {
        List<Layer> taken = held.remove(id);
        if (taken != null) {
            taken.forEach(this::giveBack);
        }
    }
}
